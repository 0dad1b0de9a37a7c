import { describe, expect, test } from 'vitest';
import { commandLine as run } from '../support/command-line.ts';

describe('explain on the command line', () => {
  test('takes options again and again', async () => {
    const words = [
      '--as',
      'alice',
      '--role',
      'a',
      '--role',
      'b',
      '--own',
      'canvas:x',
      '--other',
      'canvas:y:z',
      '--pending',
      'canvas:x=a=b',
      '--pending',
      'canvas:x=c',
      '--json',
    ];
    const { code, out } = await run('explain', 'GET', '/api/canvas/x', ...words);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ verdict: 'allowed', caller: { roles: ['a', 'b'] } });
  });

  test('gives headers to the request', async () => {
    const { out } = await run('explain', 'GET', '/', '--header', 'Accept: text/html', '--header', 'Host: x', '--json');
    expect(JSON.parse(out).forwarded.headers).toMatchObject({ accept: 'text/html' });
  });

  test.each([
    [['explain'], "missing required argument 'method'"],
    [['explain', 'GET'], "missing required argument 'target'"],
    [['explain', 'GET', '/', '--own', 'canvas'], 'Expected KIND:ID'],
    [['explain', 'GET', '/', '--other', ':x'], 'Expected KIND:ID'],
    [['explain', 'GET', '/', '--header', 'x'], 'Expected NAME: VALUE'],
    [['explain', 'GET', '/', '--pending', 'session:s'], 'Expected KIND:ID=CALL'],
    [['explain', 'GET', '/', '--pending', 's=c'], 'Expected KIND:ID'],
    [['explain', 'GET', '/', '--catalogue', 'models'], 'Expected NAME=FILE'],
  ])('ends with 2 for %j', async (words, message) => {
    expect(await run(...words)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  });

  test('explains itself', async () => {
    const { code, out } = await run('explain', '--help');
    expect(code).toBe(0);
    expect(out).toContain('Ends with 0 whatever the verdict is');
  });
});
