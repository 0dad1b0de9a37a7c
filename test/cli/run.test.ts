import { describe, expect, test } from 'vitest';
import { runCommand } from '../../src/cli/run.ts';

async function run(...words: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommand(words, {
    output: { out: (line) => out.push(line), err: (line) => err.push(line) },
    variables: {},
    stopped: () => Promise.resolve('test'),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('the command line', () => {
  test('runs check', async () => {
    expect(await run('check', '--config', 'gateway.yaml')).toMatchObject({
      code: 0,
      out: expect.stringContaining('fine'),
    });
  });

  test('ends with 3 when the configuration is not valid', async () => {
    const { code, err } = await run('check', '--config', 'nowhere/gateway.yaml');
    expect(code).toBe(3);
    expect(err).toBe('nowhere/gateway.yaml:1:1: the file cannot be read: ENOENT\n1 fault');
    expect((await run('serve', '--config', 'nowhere/gateway.yaml', '--json')).code).toBe(3);
  });

  test.each([
    [[], 'Usage:'],
    [['chekc'], "unknown command 'chekc'"],
    [['check', '--confg', 'x'], "unknown option '--confg'"],
    [['check', 'gateway.yaml'], 'too many arguments'],
    [['serve', '--port', '99999'], 'Expected a port from 0 to 65535'],
    [['serve', '--admin-port', '-1'], 'Expected a port from 0 to 65535'],
    [['serve', '--upstream', 'http://x/y'], 'Expected an http or https URL'],
  ])('ends with 2 for %j', async (words, message) => {
    const { code, err, out } = await run(...words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });

  test('explains itself, exit codes included', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    expect(out).toContain('Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 invalid configuration.');
  });
});
