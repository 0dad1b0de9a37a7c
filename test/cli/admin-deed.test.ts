import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AdminDeed, doAtAdmin, isObject, refusedOr } from '../../src/cli/admin-deed.ts';
import { answeringAdmin } from '../support/admin-answers.ts';

let admin: Awaited<ReturnType<typeof answeringAdmin>>;
beforeEach(async () => {
  admin = await answeringAdmin();
});
afterEach(() => admin.close());

const deed: AdminDeed = {
  call: { method: 'GET', path: '/things' },
  undone: ' Nothing was done.',
  failureOf: (reply, url) =>
    isObject(reply.body) && 'things' in reply.body ? undefined : refusedOr(reply, url, ' Nothing was done.'),
  told: (body) => [`There are ${(body as { things: number }).things}.`, 'That is all.'],
};

const run = async (options: { readonly json?: boolean; readonly port?: number; readonly file?: string } = {}) => {
  const out: string[] = [];
  const err: string[] = [];
  const output = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const { json = false, port = admin.port, file = admin.file } = options;
  const code = await doAtAdmin(deed, { file, flags: { adminPort: port }, json, variables: {} }, output);
  return { code, out, err };
};

test('what was answered is told in lines, or as it is', async () => {
  admin.answers(200, { things: 3 });
  expect(await run()).toEqual({ code: 0, out: ['There are 3.', 'That is all.'], err: [] });
  expect(await run({ json: true })).toEqual({ code: 0, out: ['{"things":3}'], err: [] });
});

test('what was refused is a failure, and ends with what did not happen', async () => {
  admin.answers(400, { code: 'body-unfit', detail: 'The body is not as it must be.' });
  const sentence = 'The gateway refused it (body-unfit): The body is not as it must be. Nothing was done.';
  expect(await run()).toEqual({ code: 1, out: [], err: [sentence] });
  const { code, out } = await run({ json: true });
  expect([code, JSON.parse(out[0] ?? '')]).toEqual([1, { outcome: 'failed', message: sentence }]);
});

test('so is an answer of something that is no gateway, and no answer at all', async () => {
  admin.answers(200, 'hello');
  expect((await run()).err[0]).toMatch(/\(with status 200\) is no gateway that can do this\. Nothing was done\.$/);
  expect((await run({ port: 1 })).err[0]).toMatch(/^No gateway answers at .* Nothing was done\.$/);
});

test('without a configuration nobody is asked', async () => {
  const { code, err } = await run({ file: '/nowhere/gateway.yaml' });
  expect([code, err.at(-1)]).toEqual([3, '1 fault']);
  expect(admin.asked).toEqual([]);
});
