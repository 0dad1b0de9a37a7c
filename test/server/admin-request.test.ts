import { Hono } from 'hono';
import { afterEach, expect, test } from 'vitest';
import type { AuditRecord } from '../../src/model/audit.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { type AdminEnv, adminRecorder, jsonBody } from '../../src/server/admin-request.ts';
import { openAdminPart } from '../support/admin-part.ts';

let close: () => Promise<unknown> = () => Promise.resolve();
afterEach(() => close());

const open = async () => {
  const records: AuditRecord[] = [];
  let millis = 0;
  const routes = new Hono<AdminEnv>();
  routes.use(
    '*',
    adminRecorder(
      (record) => records.push(record),
      () => (millis += 5),
    ),
  );
  routes.post('/', async (context) => {
    const text = (await jsonBody(context)).toString();
    if (text === 'fail') throw new Rejection('api-keys-unavailable', 'disk full');
    context.set('deed', `read ${text}`);
    return context.json({ text });
  });
  const part = await openAdminPart('/part', routes);
  close = part.close;
  const post = (body: string, type = 'application/json') =>
    part.call({ method: 'POST', body, headers: { 'content-type': type } });
  return { records, post };
};

test.each(['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON'])(
  'a body of the type %s is read',
  async (type) => {
    const { post } = await open();
    expect(await post('{}', type)).toMatchObject({ status: 200, body: { text: '{}' } });
  },
);

test.each(['text/plain', 'application/jsonp', 'application/json-seq', 'text/html; application/json'])(
  'a body of the type %s is not',
  async (type) => {
    const { post } = await open();
    expect(await post('{}', type)).toMatchObject({ status: 415, code: 'body-type' });
  },
);

test('a body of 16 KiB is read, and no larger one', async () => {
  const { post } = await open();
  expect((await post('x'.repeat(16_384))).status).toBe(200);
  expect(await post('x'.repeat(16_385))).toMatchObject({ status: 413, code: 'body-too-large' });
});

test('each request is written down: what was done, why it was not, and how long it took', async () => {
  const { records, post } = await open();
  await post('x');
  await post('x', 'text/plain');
  await post('fail');
  expect(records).toMatchObject([
    {
      kind: 'admin',
      outcome: 'allowed',
      detail: 'read x',
      reason: undefined,
      status: 200,
      path: '/part',
      method: 'POST',
    },
    { outcome: 'refused', detail: 'not application/json', reason: 'body-type', status: 415 },
    { outcome: 'failed', detail: 'disk full', reason: 'api-keys-unavailable', status: 503 },
  ]);
  expect(records[0]).toMatchObject({ time: '1970-01-01T00:00:00.010Z', millis: 10 });
  expect(new Set(records.map(({ requestId }) => requestId)).size).toBe(3);
});
