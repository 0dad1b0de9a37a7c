import { describe, expect, test } from 'vitest';
import { commandLine as run } from '../support/command-line.ts';

describe('test on the command line', () => {
  test('runs files, with coverage where that is asked for', async () => {
    const { code, out } = await run('test', 'policies/minimal.test.yaml', '--coverage');
    expect(code).toBe(0);
    expect(out).toContain('covered: routes 6/6');
  });

  test('ends with 3 for what is not there', async () => {
    expect(await run('test', 'nowhere.test.yaml')).toMatchObject({
      code: 3,
      err: 'nowhere.test.yaml:1:1: the file cannot be read: ENOENT\n1 fault',
    });
  });

  test('needs a path', async () => {
    expect(await run('test')).toMatchObject({
      code: 2,
      err: expect.stringContaining("missing required argument 'path'"),
    });
  });

  test('explains itself', async () => {
    expect((await run('test', '--help')).out).toContain('Ends with 0 when all tests pass');
  });
});
