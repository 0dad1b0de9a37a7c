/** Files that the demonstration makes once and keeps: keys and secrets, for their owner alone. */
import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Resolves with the text of a file, which is made when there is none. Of two that make it at once both get the same. */
export async function keptText(file: string, make: () => Promise<string>): Promise<string> {
  const kept = textOf(file);
  if (kept !== undefined) return kept;
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, await make(), { mode: 0o600 });
  try {
    // A link is made by one only, and is whole when it is there.
    linkSync(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary);
  }
  return readFileSync(file, 'utf8');
}

/** Resolves with a random text of 256 bits, the same one at every start. */
export const keptSecret = (file: string): Promise<string> =>
  keptText(file, async () => randomBytes(32).toString('base64url'));

/** Returns the text of a file, undefined where there is none. */
export function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces a file at once: nobody reads half of it. */
export function replaceFile(file: string, text: string, mode = 0o644): void {
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, file);
}
