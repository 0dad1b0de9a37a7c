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

/** Reads the tokens of one source; every method takes and returns indexes of tokens. */
const reader = (tokens: readonly Token[]) => {
  const partner = pairs(tokens);
  const text = (index: number): string => tokens[index]?.text ?? '';
  const after = (index: number): number => (partner.get(index) ?? index) + 1;

  const skipAngles = (index: number): number => {
    let depth = 0;
    for (let i = index; i < tokens.length; i += 1) {
      if (text(i) === '<') depth += 1;
      if (text(i) === '>') depth -= 1;
      if (depth === 0) return i + 1;
      if (partner.has(i) && /^[([{]$/.test(text(i))) i = after(i) - 1;
    }
    return tokens.length;
  };
  const skipPrimary = (index: number): number => {
    if (text(index) === '<') return skipPrimary(skipAngles(index));
    if (text(index) === '(' && text(after(index)) === '=>') return skipType(after(index) + 1);
    if (partner.has(index)) return after(index);
    return index + 1;
  };
  const skipPostfix = (index: number): number => {
    let i = index;
    for (;;) {
      if (text(i) === '[') i = after(i);
      else if (text(i) === '<') i = skipAngles(i);
      else if (text(i) === '.') i += 2;
      else return i;
    }
  };
  const skipType = (index: number): number => {
    let i = index;
    while (TYPE_PREFIX.has(text(i))) i += 1;
    i = skipPostfix(skipPrimary(i));
    if (text(i) === 'is') return skipType(i + 1);
    if (text(i) === 'extends') {
      const test = skipType(i + 1);
      return text(test) === '?' ? skipType(skipType(test + 1) + 1) : test;
    }
    return text(i) === '|' || text(i) === '&' ? skipType(i + 1) : i;
  };
  /** The parts between the commas of a list whose opening bracket is at `open`. */
  const parts = (open: number): ReadonlyArray<readonly [number, number]> => {
    const end = after(open) - 1;
    const found: Array<readonly [number, number]> = [];
    let from = open + 1;
    for (let i = from; i <= end; i += 1) {
      if (i === end || text(i) === ',') {
        if (i > from) found.push([from, i]);
        from = i + 1;
      } else if (text(i) === '<' && tokens[i - 1]?.kind === 'word') i = Math.max(i, skipAngles(i) - 1);
      else if (partner.has(i)) i = after(i) - 1;
    }
    return found;
  };
  /** The end of an expression that is an arrow's body. */
  const skipExpression = (index: number): number => {
    let i = index;
    while (i < tokens.length && !/^[,;)\]}]$/.test(text(i)) && !(tokens[i]?.kind === 'template' && text(i)[0] === '}'))
      i = partner.has(i) ? after(i) : i + 1;
    return i - 1;
  };
  return { text, after, skipType, skipAngles, parts, skipExpression };
};

const nameBefore = (tokens: readonly Token[], open: number): string => {
  for (let i = open - 1; i >= Math.max(0, open - 4); i -= 1) {
    const token = tokens[i];
    if (token?.kind === 'word' && token.text !== 'async' && token.text !== 'function') return token.text;
    if (token?.text === ';' || token?.text === '}') break;
  }
  return 'a function';
};

/** True when every part between the commas is `name: type`: a declaration, not a call. */
const isSignature = (tokens: readonly Token[], list: ReadonlyArray<readonly [number, number]>): boolean =>
  list.length > 0 &&
  list.every(([from]) => {
    const name = tokens[from]?.text === '...' ? from + 1 : from;
    const colon = tokens[name + 1]?.text === '?' ? name + 2 : name + 1;
    return tokens[name]?.kind === 'word' && tokens[colon]?.text === ':';
  });

/** Returns every function, method, constructor and signature of a source, nested ones too, in the order of their heads. */
export const functionsOf = (tokens: readonly Token[]): FunctionShape[] => {
  const { text, after, skipType, parts, skipExpression } = reader(tokens);
  const found: FunctionShape[] = [];

  const measure = (open: number, list: ReadonlyArray<readonly [number, number]>, to: number | undefined): void => {
    const line = tokens[open]?.line ?? 0;
    const last = tokens[to ?? open]?.line ?? line;
    const positional = list.filter(([from]) => text(from) !== 'this').length;
    const lines = to === undefined ? 0 : last - line + 1;
    found.push({ name: nameBefore(tokens, open), line, lines, parameters: positional, from: open, to: to ?? open });
  };
  /** The last token of the body whose head ends before `index`, or undefined when no body stands there. */
  const bodyAt = (index: number): number | undefined => {
    if (text(index) === '=>') return text(index + 1) === '{' ? after(index + 1) - 1 : skipExpression(index + 1);
    return text(index) === '{' ? after(index) - 1 : undefined;
  };

  for (const [index, token] of tokens.entries()) {
    if (token.text === '=>' && tokens[index - 1]?.kind === 'word' && text(index - 2) !== ':') {
      const [before] = [text(index - 2)];
      if (!/^[.>|&]$|^is$/.test(before)) measure(index - 1, [[index - 1, index]], bodyAt(index));
    }
    if (token.text !== '(' || CONTROL.has(text(index - 1))) continue;
    const list = parts(index);
    const next = after(index);
    const typed = text(next) === ':' ? skipType(next + 1) : next;
    const body = bodyAt(typed);
    if (body !== undefined) measure(index, list, body);
    else if (isSignature(tokens, list)) measure(index, list, undefined);
  }
  return found;
};
