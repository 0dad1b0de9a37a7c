/** The words of a policy that decide where an answer comes from, lived through from the request to the answer. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answer, type BareUpstream, bareUpstream } from '../support/bare-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { pipeline } from '../support/pipeline.ts';
import { jaazPolicy } from '../support/policies.ts';
import { policyFrom } from '../support/stages.ts';

const POLICY = `
version: 1
name: p
resources: { canvas: { id: '[a-z]{1,9}' } }
limits: { few: { points: 3, per: 1h, by: user } }
routes:
  - { id: shared, match: GET /shared, cache: { max-age: 1h }, filter: { drop: [secret], max: 1KiB } }
  - { id: stale, match: GET /stale, cache: { max-age: 1ms, stale: 1h } }
  - { id: fixed, match: POST /fixed, limits: [few], answer: { status: 202, json: { ok: true } }, headers: { x-a: b } }
  - { id: page, match: 'GET /page/*', access: public, forward-to: /index, query: [lang] }
  - { id: guarded, match: POST /guarded, body: { json: 1KiB, create: { canvas: id } }, when: { body: kind, is: good } }
  - id: formed
    match: POST /formed
    body:
      json: 1KiB
      create: { canvas: id }
      schema: { type: object, required: [id], properties: { id: { type: string }, n: { type: integer, max: 9 } } }
`;

let failing = false;
let upstream: BareUpstream;
let gateway: ReturnType<typeof pipeline>;
beforeEach(async () => {
  failing = false;
  upstream = await bareUpstream(({ socket, target, turn }) => {
    if (failing) socket.write(answer(500, 'broken'));
    else if (target === '/shared') socket.write(json({ secret: 'key', n: turn, 'set-by': target }));
    else socket.write(json({ target, n: turn }));
  });
  gateway = pipeline({ url: upstream.url, policy: policyFrom(POLICY) });
});
afterEach(async () => {
  await gateway.close();
  await upstream[Symbol.asyncDispose]();
});

const json = (value: unknown): string => answer(200, JSON.stringify(value), { 'content-type': 'application/json' });
const get = (target: string, user?: string) =>
  gateway.ask({ method: 'GET', target, ...(user !== undefined && { user }) });
const post = (target: string, body: unknown) => gateway.ask({ method: 'POST', target, user: 'alice', body });

describe('a shared answer', () => {
  test('is asked for once, without a word of the callers, and filtered for each of them', async () => {
    const told = [await get('/shared', 'alice'), await get('/shared?x=1', 'bob'), await get('/shared', 'alice')];
    expect(told.map(({ status, text }) => [status, text])).toEqual([
      ...[0, 1, 2].map(() => [200, '{"n":1,"set-by":"/shared"}']),
    ]);
    expect(upstream.seen).toEqual(['GET /shared']);
    expect(upstream.heads[0]).not.toMatch(/x-user-id|authorization|alice|bob|x-request-id/i);
    expect(told[0]?.headers).toEqual(expect.arrayContaining(['cache-control', 'private, no-store']));
  });

  test('is shown to nobody without a token', async () => {
    await get('/shared', 'alice');
    expect(await get('/shared')).toMatchObject({ status: 401, reason: 'token-missing', text: '' });
  });

  test('stands in for an upstream that fails, where that is said', async () => {
    const first = await get('/stale', 'alice');
    failing = true;
    // The copy is old once the upstream has been asked again, and has failed.
    await eventually(async () => {
      expect(await get('/stale', 'bob')).toMatchObject({ status: 200, text: first.text });
      return upstream.seen.length > 1;
    });
  });

  test('that fails is not kept', async () => {
    failing = true;
    expect((await get('/shared', 'alice')).status).toBe(500);
    failing = false;
    expect((await get('/shared', 'alice')).status).toBe(200);
  });
});

describe('an answer of the gateway’s own', () => {
  test('is given to whoever may have it, and nothing is forwarded', async () => {
    const told = await gateway.ask({ method: 'POST', target: '/fixed', user: 'alice' });
    expect(told).toMatchObject({
      status: 202,
      text: '{"ok":true}',
      record: { outcome: 'allowed', route: 'fixed', upstreamStatus: undefined },
    });
    expect(told.headers).toEqual(expect.arrayContaining(['content-type', 'application/json', 'x-a', 'b']));
    expect(await gateway.ask({ method: 'POST', target: '/fixed' })).toMatchObject({ reason: 'token-missing' });
    expect(upstream.seen).toEqual([]);
  });

  test('costs points like any other', async () => {
    const statuses: number[] = [];
    for (let index = 0; index < 4; index++) {
      statuses.push((await gateway.ask({ method: 'POST', target: '/fixed', user: 'alice' })).status);
    }
    expect(statuses).toEqual([202, 202, 202, 429]);
  });
});

test('another path is asked for, with the listed parameters and nothing else of the request’s', async () => {
  expect(await get('/page/canvas/1?lang=de&sessionId=x')).toMatchObject({ status: 200 });
  expect(upstream.seen).toEqual(['GET /index?lang=de']);
});

describe('before anything is claimed or forwarded', () => {
  test('a condition is asked', async () => {
    expect(await post('/guarded', { id: 'a', kind: 'bad' })).toMatchObject({ status: 403, reason: 'condition-unmet' });
    expect(upstream.seen).toEqual([]);
    expect(await post('/guarded', { id: 'a', kind: 'good' })).toMatchObject({ status: 200 });
  });

  test('a body is held against its form', async () => {
    const told = await post('/formed', { id: 'b', n: 10 });
    expect(told).toMatchObject({
      status: 400,
      reason: 'body-unfit',
      record: { detail: '$.n: expected at most 9', claims: [] },
    });
    expect(upstream.seen).toEqual([]);
    expect(await post('/formed', { id: 'b', n: 9 })).toMatchObject({ status: 200, record: { claims: [{ id: 'b' }] } });
  });
});

describe('the policy for Jaaz', () => {
  const jaaz = () => pipeline({ url: upstream.url, policy: jaazPolicy() });

  test.each(['/canvas/abc?sessionId=s', '/assets', '/agent_studio', '/knowledge'])(
    'serves the page for a reload of %s',
    async (target) => {
      const { ask, close } = jaaz();
      expect(await ask({ method: 'GET', target })).toMatchObject({ status: 200 });
      expect(upstream.seen).toEqual(['GET /']);
      await close();
    },
  );

  test.each(['/nowhere', '/api/nowhere', '/canvas', '/canvas/', '/canvas//a'])('and no page for %s', async (target) => {
    const { ask, close } = jaaz();
    expect((await ask({ method: 'GET', target })).status).toBeGreaterThanOrEqual(400);
    expect(upstream.seen).toEqual([]);
    await close();
  });

  test('has the browser forget, but only where somebody goes there', async () => {
    const { ask, close } = jaaz();
    const asked = { method: 'GET', target: '/signed-out' };
    expect(await ask(asked)).toMatchObject({ status: 403, reason: 'condition-unmet' });
    const told = await ask({ ...asked, headers: ['Sec-Fetch-Mode', 'navigate'] });
    expect(told.status).toBe(200);
    expect(told.headers).toEqual(expect.arrayContaining(['clear-site-data', '"cache", "storage"']));
    await close();
  });

  test('has the picture that the server lacks', async () => {
    const { ask, close } = jaaz();
    const told = await ask({ method: 'GET', target: '/jaaz.png' });
    expect(told.headers).toEqual(expect.arrayContaining(['content-type', 'image/svg+xml; charset=utf-8']));
    expect(told.text).toMatch(/^<svg [^\n]*<\/svg>$/);
    await close();
  });

  test('shares the lists that the server makes slowly, the choices of a chat included', async () => {
    const { route } = jaazPolicy().match('GET', '/api/list_models') ?? {};
    expect(route?.cache).toEqual({ maxAgeMillis: 30_000, staleMillis: 300_000 });
    expect(jaazPolicy().match('GET', '/api/list_tools')?.route.cache).toBeDefined();
  });
});
