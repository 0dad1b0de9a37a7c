/** A small difference of two texts: the lines that differ, with their neighbours. */

const NEIGHBOURS = 1;
/** Longer texts are not compared line by line: nobody would read that. */
const MAX_CELLS = 1_000_000;

/** Returns lines that begin with `- ` (only in the first), `+ ` (only in the second) or two blanks; none when all are alike. */
export const lineDiff = (first: string, second: string): readonly string[] => {
  if (first === second) return [];
  const [before, after] = [first.split('\n'), second.split('\n')];
  const lines = before.length * after.length > MAX_CELLS ? replaced(before, after) : compared(before, after);
  const near = (index: number): boolean =>
    lines.slice(Math.max(0, index - NEIGHBOURS), index + NEIGHBOURS + 1).some((line) => !line.startsWith('  '));
  return lines.filter((_, index) => near(index));
};

const replaced = (before: readonly string[], after: readonly string[]): string[] => [
  ...before.map((line) => `- ${line}`),
  ...after.map((line) => `+ ${line}`),
];

const compared = (before: readonly string[], after: readonly string[]): string[] => {
  const common = commonLengths(before, after);
  const at = (row: number, column: number): number => common[row]?.[column] ?? 0;
  const lines: string[] = [];
  let [row, column] = [0, 0];
  while (row < before.length || column < after.length) {
    if (row < before.length && before[row] === after[column]) {
      lines.push(`  ${before[row]}`);
      row += 1;
      column += 1;
    } else if (column >= after.length || (row < before.length && at(row + 1, column) >= at(row, column + 1))) {
      lines.push(`- ${before[row]}`);
      row += 1;
    } else {
      lines.push(`+ ${after[column]}`);
      column += 1;
    }
  }
  return lines;
};

/** The length of the longest common sequence of what follows each pair of lines. */
const commonLengths = (before: readonly string[], after: readonly string[]): number[][] => {
  const lengths = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0));
  for (let row = before.length - 1; row >= 0; row -= 1) {
    const [own, below] = [lengths[row] ?? [], lengths[row + 1] ?? []];
    for (let column = after.length - 1; column >= 0; column -= 1) {
      const same = before[row] === after[column];
      own[column] = same ? (below[column + 1] ?? 0) + 1 : Math.max(below[column] ?? 0, own[column + 1] ?? 0);
    }
  }
  return lengths;
};
