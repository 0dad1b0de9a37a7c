/** The program as a shell starts it, but for the process. */
import { runCommand } from '../../src/cli/run.ts';

/** Runs a command, and returns its exit code and what it wrote. */
export const commandLine = async (...words: string[]) => {
  const out: string[] = [];
  const err: string[] = [];
  const output = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const code = await runCommand(words, { output, variables: {}, stopped: () => Promise.resolve('test') });
  return { code, out: out.join('\n'), err: err.join('\n') };
};
