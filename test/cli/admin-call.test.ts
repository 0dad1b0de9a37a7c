import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { callAdmin } from '../../src/cli/admin-call.ts';
import { answeringAdmin } from '../support/admin-answers.ts';

let admin: Awaited<ReturnType<typeof answeringAdmin>>;
beforeEach(async () => {
  admin = await answeringAdmin();
});
afterEach(() => admin.close());

const place = () => ({ url: admin.url, tokenFile: admin.tokenFile });

test('a call carries the admin token, and its body as JSON', async () => {
  admin.answers(201, { a: 1 });
  const reply = await callAdmin({ method: 'POST', path: '/x', body: { user: 'corp|änn' } }, place());
  expect(reply).toEqual({ status: 201, body: { a: 1 } });
  expect(admin.asked).toEqual([
    { method: 'POST', url: '/x', authorization: 'Bearer the-token', body: { user: 'corp|änn' } },
  ]);
});

test('an answer that is not JSON has no body', async () => {
  admin.answers(200, 'hello');
  expect(await callAdmin({ method: 'GET', path: '/' }, place())).toEqual({ status: 200, body: undefined });
});

describe('says in a sentence', () => {
  test('that there is no token', async () => {
    rmSync(admin.tokenFile);
    expect(await callAdmin({ method: 'GET', path: '/' }, place())).toEqual({
      failure: `There is no admin token at ${admin.tokenFile}: no gateway runs with this ledger.`,
    });
    expect(admin.asked).toEqual([]);
  });

  test('that the token cannot be read', async () => {
    expect(await callAdmin({ method: 'GET', path: '/' }, { ...place(), tokenFile: admin.folder })).toEqual({
      failure: expect.stringContaining('cannot be read (EISDIR). Ask as the user who runs the gateway.'),
    });
  });

  test('that the token is another’s', async () => {
    admin.answers(401, {});
    expect(await callAdmin({ method: 'GET', path: '/' }, place())).toEqual({
      failure: expect.stringContaining(`does not accept the token in ${admin.tokenFile}`),
    });
  });

  test('that nobody is there', async () => {
    const nowhere = { ...place(), url: 'http://127.0.0.1:1' };
    expect(await callAdmin({ method: 'GET', path: '/' }, nowhere)).toEqual({
      failure: expect.stringMatching(/^No gateway answers at http:\/\/127.0.0.1:1: .+ Does it run/),
    });
  });
});
