/** Finds the functions of a source, with their length and their positional parameters, by matching brackets. */
import { pairs, type Token } from './tokens.ts';

export interface FunctionShape {
  readonly name: string;
  readonly line: number;
  /** From the line of the parameters to the line of the last bracket. 0 for a signature without a body. */
  readonly lines: number;
  readonly parameters: number;
  /** The tokens from the parameters to the end of the body. */
  readonly from: number;
  readonly to: number;
}

const CONTROL = new Set(['if', 'for', 'while', 'switch', 'catch', 'with', 'return', 'await', 'typeof', 'case']);
const TYPE_PREFIX = new Set(['keyof', 'readonly', 'typeof', 'unique', 'infer', 'asserts', 'new', 'abstract', '|', '&']);

/** Walks over one source; every method takes and returns indexes of tokens. */
const walker = (tokens: readonly Token[]) => {
  const partner = pairs(tokens);
  const text = (index: number): string => tokens[index]?.text ?? '';
  const opens = (index: number): boolean => (partner.get(index) ?? -1) > index;
  const after = (index: number): number => (opens(index) ? (partner.get(index) ?? index) : index) + 1;
  const skipAngles = (index: number): number => {
    let depth = 0;
    for (let i = index; i < tokens.length; i = after(i)) {
      if (text(i) === '<') depth += 1;
      if (text(i) === '>') depth -= 1;
      if (depth === 0) return i + 1;
    }
    return tokens.length;
  };
  return { tokens, text, after, skipAngles };
};

type Walker = ReturnType<typeof walker>;

/** Tells the type `(a: A) => B` from the type `((a: A) => B)`, as the grammar does. */
const mayBeParameters = ({ text, after }: Walker, open: number): boolean => {
  if (/^(\)|\.\.\.)$/.test(text(open + 1))) return true;
  return /^[:,?=)]$/.test(text(after(open + 1))) && text(open + 1) !== '(';
};

const skipPrimary = (walk: Walker, index: number): number => {
  const { text, after, skipAngles } = walk;
  if (text(index) === '<') return skipPrimary(walk, skipAngles(index));
  if (text(index) === '(' && text(after(index)) === '=>' && mayBeParameters(walk, index))
    return skipType(walk, after(index) + 1);
  return after(index);
};

const skipPostfix = ({ text, after, skipAngles }: Walker, index: number): number => {
  let i = index;
  for (;;) {
    if (text(i) === '[') i = after(i);
    else if (text(i) === '<') i = skipAngles(i);
    else if (text(i) === '.') i += 2;
    else return i;
  }
};

const skipType = (walk: Walker, index: number): number => {
  const { text } = walk;
  let i = index;
  while (TYPE_PREFIX.has(text(i))) i += 1;
  i = skipPostfix(walk, skipPrimary(walk, i));
  if (text(i) === 'is') return skipType(walk, i + 1);
  if (text(i) === 'extends') {
    const test = skipType(walk, i + 1);
    return text(test) === '?' ? skipType(walk, skipType(walk, test + 1) + 1) : test;
  }
  return text(i) === '|' || text(i) === '&' ? skipType(walk, i + 1) : i;
};

type Part = readonly [from: number, to: number];

/** The parts between the commas of a list whose opening bracket is at `open`. */
const partsOf = ({ tokens, text, after, skipAngles }: Walker, open: number): Part[] => {
  const end = after(open) - 1;
  const found: Part[] = [];
  let from = open + 1;
  for (let i = from; i <= end; ) {
    const between = i === end || text(i) === ',';
    if (between && i > from) found.push([from, i]);
    if (between) from = i + 1;
    i = text(i) === '<' && tokens[i - 1]?.kind === 'word' ? skipAngles(i) : after(i);
  }
  return found;
};

/** The last token of an expression that is an arrow's body. */
const endOfExpression = ({ tokens, text, after }: Walker, index: number): number => {
  let i = index;
  while (i < tokens.length && !/^[,;)\]]$/.test(text(i)) && !text(i).startsWith('}')) i = after(i);
  return i - 1;
};

/** The last token of the body whose head ends before `index`, or undefined when no body stands there. */
const endOfBody = (walk: Walker, index: number): number | undefined => {
  const { text, after } = walk;
  if (text(index) === '{') return after(index) - 1;
  if (text(index) !== '=>') return undefined;
  return text(index + 1) === '{' ? after(index + 1) - 1 : endOfExpression(walk, index + 1);
};

/** What a reader would call it: the word before its parameters, or before the `=` or `:` in front of them. */
const nameBefore = (tokens: readonly Token[], open: number): string => {
  const words = tokens.slice(Math.max(0, open - 5), open).filter(({ text }) => !/^(async|function|=|:|\?)$/.test(text));
  const last = words.at(-1);
  return last?.kind === 'word' ? last.text : 'a function';
};

/** True when every part between the commas is `name: type`: a declaration, not a call. */
const isSignature = ({ tokens, text }: Walker, list: readonly Part[]): boolean =>
  list.length > 0 &&
  list.every(([from]) => {
    const name = text(from) === '...' ? from + 1 : from;
    const colon = text(name + 1) === '?' ? name + 2 : name + 1;
    return tokens[name]?.kind === 'word' && text(colon) === ':';
  });

const isBareArrow = ({ tokens, text }: Walker, index: number): boolean =>
  text(index) === '=>' && tokens[index - 1]?.kind === 'word' && !/^(?:[.>|&:]|is)$/.test(text(index - 2));

/** Returns every function, method, constructor and signature of a source, nested ones too, in the order of their heads. */
export const functionsOf = (tokens: readonly Token[]): FunctionShape[] => {
  const walk = walker(tokens);
  const { text, after } = walk;
  const found: FunctionShape[] = [];
  const add = (from: number, list: readonly Part[], end: number | undefined): void => {
    const line = tokens[from]?.line ?? 0;
    const lines = end === undefined ? 0 : (tokens[end]?.line ?? line) - line + 1;
    const parameters = list.filter(([first]) => text(first) !== 'this').length;
    found.push({ name: nameBefore(tokens, from), line, lines, parameters, from, to: end ?? from });
  };
  for (const index of tokens.keys()) {
    if (isBareArrow(walk, index)) add(index - 1, [[index - 1, index]], endOfBody(walk, index));
    if (text(index) !== '(' || CONTROL.has(text(index - 1))) continue;
    const list = partsOf(walk, index);
    const next = after(index);
    const end = endOfBody(walk, text(next) === ':' ? skipType(walk, next + 1) : next);
    if (end !== undefined || isSignature(walk, list)) add(index, list, end);
  }
  return found;
};
