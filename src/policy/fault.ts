/** What is wrong in the operator's settings, and where. The one shape in which bad configuration is reported. */

export interface Position {
  /** From 1; 0 when the fault stands in no file. */
  readonly line: number;
  /** From 1; 0 when the fault stands in no file. */
  readonly column: number;
}

export interface Fault extends Position {
  /** The file, or the name of the environment variable. */
  readonly file: string;
  readonly message: string;
  /** What stands there. Never a secret. */
  readonly found?: string;
  readonly expected?: string;
}

/** Returns `file:line:column: message (found …, expected …)`. */
export function formatFault(fault: Fault): string {
  const details = [
    fault.found === undefined ? undefined : `found ${fault.found}`,
    fault.expected === undefined ? undefined : `expected ${fault.expected}`,
  ].filter((detail) => detail !== undefined);
  const tail = details.length === 0 ? '' : ` (${details.join(', ')})`;
  const place = fault.line === 0 ? fault.file : `${fault.file}:${fault.line}:${fault.column}`;
  return `${place}: ${fault.message}${tail}`;
}

/** More of them make another word; and the fewer they are, the sooner two words are told apart. */
const MAX_MISTAKES = 4;

/** Returns the known word that a misspelt one most likely means, or undefined when none is near. */
export function nearestWord(word: string, known: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined;
  const limit = Math.max(1, Math.min(Math.floor(word.length / 3), MAX_MISTAKES));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours, each at the cost of one; `enough` where it is that or more. */
function editDistance(from: string, to: string, enough: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  let leastOfLast = 0;
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    let least = row;
    // What is further from the diagonal costs more than enough.
    const end = Math.min(to.length, row + enough);
    for (let column = Math.max(1, row - enough); column <= end; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current[column] = cost;
      least = Math.min(least, cost);
    }
    // A swap reaches two rows back.
    if (Math.min(least, leastOfLast) >= enough) return enough;
    leastOfLast = least;
    beforeLast = last;
    last = current;
  }
  return Math.min(at(last, to.length), enough);
}

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;
