/** Which regular expressions a policy may write: those that take no more time than a short text of a client's is worth. */

/** Of a repetition within a repetition, and of look-around, the time cannot be told from the pattern. */
const TOO_CLEVER = /[*+}][)]*[*+{]|\)[*+{]|\\[1-9]|\(\?/;

/** As long as the longest text that is held against a pattern: what repeats without a bound repeats so often at most. */
export const MAX_PATTERN_TEXT = 256;

export interface WrittenPattern {
  /** How faults call it. */
  readonly what: string;
  readonly pattern: string;
  /** In how many ways a text may be read by it, at most. */
  readonly maxWays: number;
}

/** Returns what is wrong with a pattern, or undefined. */
export const patternFault = ({ what, pattern, maxWays }: WrittenPattern): string | undefined => {
  if (TOO_CLEVER.test(pattern)) return `${what} is too clever: no repeated group, no back reference, no look-around`;
  if (waysToRead(pattern) > maxWays) return `${what} is too clever: a text could be read by it in too many ways`;
  try {
    new RegExp(pattern);
    return undefined;
  } catch (error) {
    return `not a regular expression: ${String(error)}`;
  }
};

/** Returns the pattern, anchored at both ends. */
export const anchored = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);

/** Returns the pattern of which `anchored` made this. */
export const grammarOf = ({ source }: RegExp): string => source.slice('^(?:'.length, -')$'.length);

/** Matches nothing; stands in where the pattern is a fault. */
export const NOTHING = /^\b\B$/;

/** Three parts that repeat without a bound; what is not repeated and not optional is read in one way. */
export const WAYS_OF_IDS = (MAX_PATTERN_TEXT + 1) ** 3;
/** Of a body's texts there are many. */
export const WAYS_OF_TEXTS = (MAX_PATTERN_TEXT + 1) ** 2;

/** A text of megabytes is searched from each of its letters on: one part without a bound, and little besides. */
export const WAYS_OF_CITED = 8 * (MAX_PATTERN_TEXT + 1);

/** A search that goes back tries each length of each part that varies, and each alternative: at worst, all together. */
const waysToRead = (pattern: string): number => {
  const plain = pattern.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x');
  let ways = 1 + (plain.match(/\|/g)?.length ?? 0);
  for (const [text, least, comma, most] of plain.matchAll(/[*+?]|\{(\d+)(,?)(\d*)\}/g)) {
    if (text === '?') ways *= 2;
    else if (least === undefined || (comma !== '' && most === '')) ways *= MAX_PATTERN_TEXT + 1;
    else if (comma !== '') ways *= Math.min(Math.max(Number(most) - Number(least), 0), MAX_PATTERN_TEXT) + 1;
  }
  return ways;
};
