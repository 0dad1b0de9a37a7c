/** The secrets that seal what is kept of sessions: those of the configuration, or one that is made beside the ledger. */
import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from './config/config.ts';

/** A process that holds fewer bytes of it than were written has been given another's file, or half of one. */
const SECRET_BYTES = 32;

/** Resolves with the secrets, the sealing one first; rejects where the file is there and cannot be used. */
export const sealingSecrets = async ({
  sessions,
  ledger,
}: Pick<Config, 'sessions' | 'ledger'>): Promise<readonly Buffer[]> => {
  if (sessions.secrets.length > 0) return sessions.secrets.map((secret) => Buffer.from(secret, 'utf8'));
  const file = join(dirname(ledger.sqlite), 'session.secret');
  return [(await readSecret(file)) ?? (await makeSecret(file))];
};

const readSecret = async (file: string): Promise<Buffer | undefined> => {
  let text: string;
  try {
    text = await readFile(file, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const secret = Buffer.from(text.trim(), 'base64url');
  if (secret.length === SECRET_BYTES) return secret;
  throw new Error(
    `${file} holds no secret of ${SECRET_BYTES} bytes. Remove it to have another made: everybody logs in again.`,
  );
};

/** Two processes may come here at once: the link is made by one of them only, and both go on with its secret. */
const makeSecret = async (file: string): Promise<Buffer> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${randomUUID()}`;
  await writeFile(fresh, `${randomBytes(SECRET_BYTES).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    await link(fresh, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(fresh);
  }
  const secret = await readSecret(file);
  if (secret === undefined) throw new Error(`${file} is gone again.`);
  return secret;
};
