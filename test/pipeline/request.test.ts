import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answer, type BareUpstream, bareUpstream } from '../support/bare-upstream.ts';
import { pipeline } from '../support/pipeline.ts';

let upstream: BareUpstream;
let gateway: ReturnType<typeof pipeline>;
beforeAll(async () => {
  upstream = await bareUpstream(({ socket, target, head }) => {
    if (target === '/api/canvas/list') {
      socket.write(
        answer(200, '[{"id":"hers"},{"id":"his"}]', { 'content-type': 'application/json', 'set-cookie': 'x=y' }),
      );
    } else if (target === '/assets/part') {
      const range = /\r\nrange: (.*)/i.exec(head)?.[1];
      socket.write(answer(206, 'part', { 'content-range': `${range}`, etag: '"e"' }));
    } else socket.write(answer(200, head));
  });
  gateway = pipeline({ url: upstream.url });
  for (const [id, owner] of [
    ['hers', 'test|alice'],
    ['his', 'test|bob'],
  ] as const) {
    await gateway.ledger.learn({ ref: { kind: 'canvas', id }, parent: undefined, origin: 'request' }, owner);
  }
});
afterAll(async () => {
  await gateway.close();
  await upstream[Symbol.asyncDispose]();
});

describe('the order of the stages', () => {
  test.each([
    ['the target before the route', { method: 'GET', target: '/openapi.json%0a' }, 'target-invalid'],
    ['the route before the token', { method: 'GET', target: '/openapi.json', user: 'forged' }, 'route-denied'],
    ['the token before the body', { method: 'POST', target: '/api/chat', user: 'forged', body: 5 }, 'token-signature'],
    ['the body before its ids', { method: 'POST', target: '/api/chat', user: 'alice', body: 5 }, 'body-malformed'],
    [
      'ids before their owners',
      { method: 'POST', target: '/api/chat', user: 'alice', body: { canvas_id: 'his', session_id: 5 } },
      'id-invalid',
    ],
    [
      'owners before choices',
      {
        method: 'POST',
        target: '/api/chat',
        user: 'alice',
        body: { canvas_id: 'his', session_id: 's', text_model: 5 },
      },
      'resource-hidden',
    ],
  ])('%s', async (_name, asked, reason) => {
    const before = upstream.seen.length;
    expect(await gateway.ask(asked)).toMatchObject({ record: { reason } });
    expect(upstream.seen).toHaveLength(before);
  });
});

test('a list shows each user the own rows, and nothing that could speak for us', async () => {
  const asked = { method: 'GET', target: '/api/canvas/list' };
  const hers = await gateway.ask({ ...asked, user: 'alice' });
  expect(hers.text).toBe('[{"id":"hers"}]');
  expect(hers.headers).not.toContain('set-cookie');
  expect((await gateway.ask({ ...asked, user: 'bob' })).text).toBe('[{"id":"his"}]');
  expect((await gateway.ask({ ...asked, user: 'carol' })).text).toBe('[]');
});

test('what reaches the upstream is rebuilt, and carries the user', async () => {
  const { text } = await gateway.ask({ method: 'GET', target: '/api/canvas/hers?evil=1', user: 'alice' });
  expect(text).toMatch(/^GET \/api\/canvas\/hers HTTP\/1\.1\r\n/);
  expect(text).toMatch(/\r\nx-user-id: test\|alice(\r\n|$)/);
  expect(text).not.toMatch(/authorization/i);
});

test('a part of a stream passes untouched', async () => {
  const life = gateway.begin({ method: 'GET', target: '/assets/part' });
  const ranged = { ...life, raw: { ...life.raw, rawHeaders: ['Host', 'x', 'Range', 'bytes=0-3'] } };
  const told = await gateway.ask({ method: 'GET', target: '/assets/part' }, ranged);
  expect(told).toMatchObject({ status: 206, text: 'part' });
  expect(told.headers).toEqual(expect.arrayContaining(['content-range', 'bytes=0-3', 'etag', '"e"']));
});
