import { expect, test } from 'vitest';
import { runCommand } from '../../src/cli/run.ts';

const run = async (...words: string[]) => {
  const said: string[] = [];
  const output = { out: (line: string) => said.push(line), err: (line: string) => said.push(line) };
  const code = await runCommand(words, { output, variables: {}, stopped: () => Promise.resolve('test') });
  return { code, said: said.join('\n') };
};

test.each([
  [['policy'], 'Usage:'],
  [['policy', 'rolback'], "unknown command 'rolback'"],
  [['policy', 'status', '--admin-port', 'x'], 'Expected a port from 0 to 65535'],
  [['policy', 'reload', 'now'], 'too many arguments'],
])('ends with 2 for %j', async (words, message) => {
  const { code, said } = await run(...words);
  expect([code, said]).toEqual([2, expect.stringContaining(message)]);
});

test.each(['status', 'reload', 'rollback'])('%s reads the configuration that it is told', async (deed) => {
  const { code, said } = await run('policy', deed, '--config', 'nowhere/gateway.yaml', '--json');
  expect(code).toBe(3);
  expect(JSON.parse(said)).toMatchObject({ valid: false, faults: [{ file: 'nowhere/gateway.yaml' }] });
});
