/** A policy that looks on: nobody who works today notices it, and its record says what it would have done. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Answer, type Client, chatBody, jaazClient } from '../support/jaaz-client.ts';
import { jaazPolicy } from '../support/policies.ts';
import { SHADOW, type ShadowedWorld, startShadowedWorld } from '../support/shadowed.ts';

/** A chat that goes on: with one message alone the server takes the session for a new one. */
const going = (prompt: string) => ({
  messages: [
    { role: 'user', content: 'before' },
    { role: 'user', content: [{ type: 'text', text: prompt }] },
  ],
});

const missing = { would: 'deny', reason: 'token-missing', detail: 'no token was presented' };

describe('an old client, which knows of no tokens', () => {
  let world: ShadowedWorld;
  beforeAll(async () => {
    world = await startShadowedWorld({ policy: jaazPolicy(SHADOW) });
  });
  afterAll(() => world.close());

  test('creates, chats, saves, uploads, reads and deletes as it did', async () => {
    const { old, direct, heard } = world;
    const created = await old.post('/api/canvas/create', chatBody({ canvas: 'c', session: 's', prompt: 'a picture' }));
    expect([created.status, created.text]).toEqual([200, '{"id":"c"}']);
    await heard.done('s', 2);
    const chat = await old.post(
      '/api/chat',
      chatBody({ canvas: 'c', session: 's', prompt: '', more: going('another') }),
    );
    expect([chat.status, chat.text]).toEqual([200, '{"status":"done"}']);
    const saved = await old.post('/api/canvas/c/save', { data: { elements: [] }, thumbnail: 'x'.repeat(300_000) });
    expect(saved.text).toBe('{"id":"c"}');
    const uploaded = await old.upload('a.png', PNG);
    expect(uploaded.status).toBe(200);
    const { file_id: file } = JSON.parse(uploaded.text) as { file_id: string };
    for (const path of [
      '/',
      '/api/canvas/list',
      '/api/canvas/c',
      '/api/canvas/none',
      '/api/chat_session/s',
      `/api/file/${file}`,
      '/api/file/none.png',
      '/api/list_models',
      '/api/config',
      '/docs',
      '/no/such/path?x=1&y=a%20b',
      '/api/browse_filesystem?path=/etc',
    ]) {
      const [through, past] = [await old.get(path), await direct.get(path)];
      expect([path, through.status, through.bytes.equals(past.bytes)]).toEqual([path, past.status, true]);
      expect([path, headersOf(through)]).toEqual([path, headersOf(past)]);
      const { mode, client, outcome, findings } = await world.recordOf(through);
      expect([path, mode, client, outcome]).toEqual([path, 'shadow', 'node', 'allowed']);
      expect([path, findings?.length]).toEqual([path, path === '/' ? 0 : 1]);
    }
    expect(await world.findings(await old.get('/api/canvas/list'))).toEqual([missing]);
    expect(await world.findings(await old.get('/docs'))).toMatchObject([{ would: 'deny', reason: 'route-denied' }]);
    expect(await world.findings(await old.get('/no/such'))).toMatchObject([{ would: 'deny', reason: 'route-unknown' }]);
    expect((await old.remove('/api/canvas/c/delete')).status).toBe(200);
    expect((await direct.get('/api/canvas/c')).text).toBe('null');
    expect(world.audit().filter(({ claims }) => claims !== undefined)).toEqual([]);
  });

  test('and so does one whose token is no longer good', async () => {
    const token = await world.issuer.token('alice', { expiresInSeconds: -60 });
    const answer = await jaazClient({ url: world.gateway.url, token }).get('/api/canvas/list');
    expect(answer.status).toBe(200);
    expect(await world.findings(answer)).toMatchObject([{ would: 'deny', reason: 'token-expired' }]);
    const forged = await jaazClient({ url: world.gateway.url, token: 'x.y.z' }).get('/api/canvas/list');
    expect([forged.status, await world.findings(forged)]).toMatchObject([200, [{ would: 'deny' }]]);
  });
});

/** Less what belongs to one connection or to one moment. */
const headersOf = ({ headers }: Answer): Record<string, string> => {
  const kept = Object.fromEntries(headers);
  for (const name of ['date', 'connection', 'keep-alive', 'server', 'x-request-id', 'transfer-encoding']) {
    delete kept[name];
  }
  return kept;
};

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

describe('what would have happened', () => {
  let world: ShadowedWorld;
  let alice: Client;
  let bob: Client;
  beforeAll(async () => {
    world = await startShadowedWorld({
      policy: jaazPolicy(
        SHADOW,
        ['generate: { points: 30,', 'generate: { points: 8,'],
        ['running: { concurrent: 3,', 'running: { concurrent: 1,'],
      ),
    });
    alice = await world.as('alice');
    bob = await world.as('bob');
    const { direct, heard } = world;
    await direct.post('/api/canvas/create', chatBody({ canvas: 'old-c', session: 'old-s', prompt: 'old picture' }));
    await heard.done('old-s', 2);
  });
  afterAll(() => world.close());

  test('a new canvas and its chat become the creator’s, once the server has them', async () => {
    const made = await alice.post('/api/canvas/create', chatBody({ canvas: 'a-c', session: 'a-s', prompt: 'hers' }));
    const record = await world.recordOf(made);
    expect(record).toMatchObject({ mode: 'shadow', owner: 'test|alice', claims: ['canvas:a-c', 'session:a-s'] });
    expect(record.findings).toEqual([
      { would: 'claim', resources: ['canvas:a-c', 'session:a-s'] },
      { would: 'change', what: 'request' },
    ]);
    await world.heard.done('a-s', 2);
    const read = await alice.get('/api/canvas/a-c');
    expect(await world.findings(read)).toEqual([]);
  });

  test('what was there before, or is another’s, becomes nobody’s by being used', async () => {
    const taken = await bob.post('/api/canvas/create', chatBody({ canvas: 'a-c', session: 'b-s', prompt: 'his' }));
    expect(taken.status).toBe(500);
    expect(await world.findings(taken)).toContainEqual({
      would: 'deny',
      reason: 'resource-taken',
      detail: 'canvas:a-c is another owner’s',
    });
    for (const answer of [
      taken,
      await bob.get('/api/canvas/old-c'),
      await bob.post('/api/canvas/old-c/save', { data: {}, thumbnail: null }),
      await bob.post('/api/canvas/a-c/save', { data: {}, thumbnail: null }),
      await bob.post('/api/chat', chatBody({ canvas: 'old-c', session: 'old-s', prompt: 'more' })),
      await bob.post('/api/chat', chatBody({ canvas: 'old-c', session: 'new-s', prompt: 'more' })),
    ]) {
      const { claims = [], findings = [], resources } = await world.recordOf(answer);
      expect(claims).toEqual([]);
      expect(resources).not.toEqual([]);
      expect(findings.some(({ would }) => would === 'deny')).toBe(true);
    }
    for (const who of [alice, bob]) {
      const again = await who.get('/api/canvas/old-c');
      expect(again.text).not.toBe('null');
      expect(await world.findings(again)).toMatchObject([{ would: 'deny', reason: 'resource-hidden' }]);
    }
    expect(await world.findings(await alice.get('/api/canvas/a-c'))).toEqual([]);
  });

  test('rows would be removed, answers and requests changed', async () => {
    const list = await alice.get('/api/canvas/list');
    expect(list.text).toBe((await world.direct.get('/api/canvas/list')).text);
    expect(await world.findings(list)).toEqual([{ would: 'remove', kind: 'canvas', removed: 2, of: 3 }]);
    expect(await world.findings(await alice.get('/api/list_models'))).toEqual([{ would: 'change', what: 'answer' }]);
    const history = await alice.get('/api/chat_session/a-s');
    expect(history.text).toBe((await world.direct.get('/api/chat_session/a-s')).text);
    const query = await alice.get('/api/config/exists?nobody=asked');
    expect(await world.findings(query)).toEqual([{ would: 'change', what: 'request' }]);
  });

  test('an upload is the uploader’s: the server made its name', async () => {
    const { text } = await alice.upload('a.png', PNG);
    const { file_id: file, url } = JSON.parse(text) as { file_id: string; url: string };
    expect(url).toMatch(/^http:/);
    await eventually(() => world.audit().some(({ route }) => route === 'file.upload'));
    expect(await world.findings(await alice.get(`/api/file/${file}`))).toEqual([]);
    const foreign = await bob.get(`/api/file/${file}`);
    expect([foreign.status, await world.findings(foreign)]).toMatchObject([
      200,
      [{ would: 'deny', reason: 'resource-hidden' }],
    ]);
  });

  test('a body that would be refused goes on as it is', async () => {
    const { url } = world.gateway;
    const token = await world.issuer.token('alice');
    const post = async (body: string, type: string, path = '/api/canvas/a-c/save') => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': type };
      const response = await fetch(url + path, { method: 'POST', headers, body });
      await response.text();
      const findings = await world.findings(response);
      return [response.status, world.upstream.requests.at(-1)?.body?.toString() === body, findings] as const;
    };
    const twice = '{"data":{"n":1e999},"data":{"a":1},"thumbnail":null}';
    expect(await post(twice, 'application/json')).toMatchObject([
      200,
      true,
      [{ would: 'deny', reason: 'body-number' }],
    ]);
    const plain = '{"data":{},"thumbnail":null}';
    expect(await post(plain, 'text/plain')).toMatchObject([200, true, [{ would: 'deny', reason: 'body-type' }]]);
    const long = `{"name":"${'x'.repeat(100_000)}"}`;
    expect(await post(long, 'application/json', '/api/canvas/a-c/rename')).toMatchObject([
      200,
      true,
      [{ would: 'deny', reason: 'body-too-large' }],
    ]);
  });

  test('limits count, and throttle nobody', async () => {
    const body = (index: number) => chatBody({ canvas: 'a-c', session: 'a-s', prompt: '', more: going(`p${index}`) });
    const answers = await Promise.all([1, 2, 3].map((index) => alice.post('/api/chat', body(index))));
    const found = (await Promise.all(answers.map((answer) => world.findings(answer)))).flat();
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(found).toContainEqual(expect.objectContaining({ would: 'deny', reason: 'runs-limited' }));
    for (let index = 0; index < 8; index += 1) await alice.post('/api/chat', body(index));
    const throttled = await alice.post('/api/chat', body(9));
    expect(throttled.status).toBe(200);
    expect(await world.findings(throttled)).toContainEqual(expect.objectContaining({ reason: 'rate-limited' }));
    expect(throttled.headers.has('ratelimit')).toBe(false);
  });

  test('what the caller owned and deletes is gone for good', async () => {
    await bob.remove('/api/canvas/old-c/delete');
    expect((await alice.remove('/api/canvas/a-c/delete')).status).toBe(200);
    const again = await bob.post('/api/canvas/create', chatBody({ canvas: 'a-c', session: 'c-s', prompt: 'again' }));
    expect(again.status).toBe(200);
    const { claims = [], findings } = await world.recordOf(again);
    expect(claims).toEqual([]);
    expect(findings).toContainEqual(expect.objectContaining({ would: 'deny', reason: 'resource-deleted' }));
  });
});
