/** Runs a source of ours as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface Run {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves when the output proper holds what is looked for; rejects when the process ends first. */
  until(pattern: RegExp): Promise<string>;
  readonly ended: Promise<number | null>;
}

export function run(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
  program: string = process.execPath,
): Run {
  const child = spawn(program, words, { env: { ...process.env, ...environment } });
  let out = '';
  let err = '';
  const waiting: Array<() => void> = [];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    for (const look of waiting) look();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const until = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => (pattern.test(out) ? resolve(out) : undefined);
      waiting.push(look);
      look();
      ended.then((code) => reject(new Error(`ended with ${code}: ${err}`)), reject);
    });
  return { child, out: () => out, err: () => err, until, ended };
}
