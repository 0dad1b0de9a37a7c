/** The file that takes a renaming of owners back: a line that says what it is, a line for each resource, and one that ends it. */
import { appendFileSync, closeSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import type { OwnerUndo } from '../model/owner-change.ts';

const MARK = 'jaaz-gateway owners undo 1';

/** So many lines are written in one go. */
const LINES = 5_000;

/** Writes a file that is not there yet, for its owner alone, and resolves when it is on the disk; throws what the system says. */
export const writeUndoFile = (path: string, { moved, ...rest }: OwnerUndo): void => {
  const file = openSync(path, 'wx', 0o600);
  try {
    appendFileSync(file, `${JSON.stringify({ file: MARK, ...rest })}\n`);
    for (let from = 0; from < moved.length; from += LINES) {
      const lines = moved.slice(from, from + LINES).map(({ kind, id, change }) => JSON.stringify([kind, id, change]));
      appendFileSync(file, `${lines.join('\n')}\n`);
    }
    appendFileSync(file, `${JSON.stringify({ resources: moved.length })}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

/** Returns what a file says; throws what the system says, or a SyntaxError for what is no such file, or not all of one. */
export const readUndoFile = (path: string): OwnerUndo => {
  const [first = '', ...lines] = readFileSync(path, 'utf8').split('\n');
  const head = objectIn(first);
  const end = objectIn(lines.at(-2) ?? '');
  if (head.file !== MARK) throw new SyntaxError('it is no file that "owners rename" has written');
  if (lines.at(-1) !== '' || end.resources !== lines.length - 2) throw new SyntaxError('its end is missing');
  const { changes, revocations, keys } = head as unknown as Omit<OwnerUndo, 'moved'>;
  const moved = lines.slice(0, -2).map((line) => {
    const [kind, id, change] = JSON.parse(line) as readonly [string, string, number];
    return { kind, id, change };
  });
  return { changes, revocations, keys, moved };
};

const objectIn = (line: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};
