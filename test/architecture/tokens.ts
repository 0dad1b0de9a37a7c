/**
 * A small scanner for TypeScript: it knows comments, strings, templates and regular expressions well enough that the
 * laws look at code and never at text. It is not a parser; TypeScript 7 no longer offers one to programs.
 */

type TokenKind = 'word' | 'number' | 'string' | 'template' | 'regex' | 'punctuation';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly line: number;
}

interface Comment {
  readonly text: string;
  readonly line: number;
}

interface Scan {
  readonly tokens: readonly Token[];
  readonly comments: readonly Comment[];
}

/** After one of these words a slash opens a regular expression; after any other word it divides. */
const BEFORE_EXPRESSION = new Set(
  'return typeof case in of delete void throw new else do await yield instanceof default'.split(' '),
);

const OPERATORS = ['...', '=>', '===', '!==', '==', '!=', '<=', '??=', '??', '?.', '&&=', '&&', '||=', '||', '**'];

const PATTERNS: ReadonlyArray<readonly [TokenKind, RegExp]> = [
  ['word', /[#@\p{ID_Start}$_][\p{ID_Continue}$]*/uy],
  ['number', /\d[\w.]*/y],
  ['string', /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y],
];

const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y;
const TEMPLATE_CHUNK = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(`|\$\{)/y;
const COMMENT = /\/\/[^\n]*|^#![^\n]*|\/\*[\s\S]*?\*\//y;

const matchAt = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
};

const regexMayStart = (previous: Token | undefined): boolean => {
  if (previous === undefined) return true;
  if (previous.kind === 'word') return BEFORE_EXPRESSION.has(previous.text);
  if (previous.kind !== 'punctuation') return false;
  return !(previous.text === ')' || previous.text === ']' || previous.text === '}');
};

const punctuationAt = (text: string, at: number): string =>
  OPERATORS.find((operator) => text.startsWith(operator, at)) ?? text.charAt(at);

/** Returns the tokens of a source in order, and its comments apart. Each hole of a template is scanned as code. */
export const scan = (text: string): Scan => {
  const tokens: Token[] = [];
  const comments: Comment[] = [];
  /** For each open template: how many braces are open inside its current hole. */
  const holes: number[] = [];
  let at = 0;
  let line = 1;

  const step = (taken: string): void => {
    at += taken.length;
    for (const character of taken) if (character === '\n') line += 1;
  };
  const take = (kind: TokenKind, taken: string): void => {
    tokens.push({ kind, text: taken, start: at, line });
    step(taken);
  };
  const chunk = (opening: string): void => {
    const rest = matchAt(TEMPLATE_CHUNK, text, at + opening.length);
    if (rest === undefined) throw new TypeError(`line ${line}: a template without an end`);
    take('template', opening + rest);
    if (rest.endsWith('${')) holes.push(0);
  };
  const brace = (character: string): void => {
    const depth = holes.pop();
    if (depth === 0 && character === '}') chunk('}');
    else {
      if (depth !== undefined) holes.push(character === '{' ? depth + 1 : depth - 1);
      take('punctuation', character);
    }
  };
  const simple = (): readonly [TokenKind, string] => {
    for (const [kind, pattern] of PATTERNS) {
      const found = matchAt(pattern, text, at);
      if (found !== undefined) return [kind, found];
    }
    const regex = regexMayStart(tokens.at(-1)) ? matchAt(REGEX, text, at) : undefined;
    return regex === undefined ? ['punctuation', punctuationAt(text, at)] : ['regex', regex];
  };

  while (at < text.length) {
    const character = text.charAt(at);
    const comment = character === '/' || character === '#' ? matchAt(COMMENT, text, at) : undefined;
    if (comment !== undefined) {
      comments.push({ text: comment, line });
      step(comment);
    } else if (/\s/.test(character)) step(character);
    else if (character === '`') chunk('`');
    else if (character === '{' || character === '}') brace(character);
    else take(...simple());
  }
  return { tokens, comments };
};

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Returns, for the index of each bracket, the index of its partner. Templates count as brackets around their holes. */
export const pairs = (tokens: readonly Token[]): ReadonlyMap<number, number> => {
  const partner = new Map<number, number>();
  const open: Array<{ readonly index: number; readonly closing: string }> = [];
  const close = (index: number): void => {
    const last = open.pop();
    if (last === undefined) return;
    partner.set(last.index, index);
    partner.set(index, last.index);
  };
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'template') {
      if (token.text.startsWith('}')) close(index);
      if (token.text.endsWith('${')) open.push({ index, closing: '}' });
    } else if (token.kind === 'punctuation') {
      const closing = CLOSING[token.text];
      if (closing !== undefined) open.push({ index, closing });
      else if (token.text === open.at(-1)?.closing) close(index);
    }
  }
  return partner;
};
