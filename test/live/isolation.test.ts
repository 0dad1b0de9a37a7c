/**
 * The isolation of two users at a real Jaaz, through the gateway: nothing is known of that server but its contract, and
 * what is made there is deleted again. It needs JAAZ_URL, such as http://127.0.0.1:57988.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawPng } from '../../demo/jaaz/image.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { type Client, type Ear, jaazClient, openEar } from '../support/jaaz-client.ts';

const JAAZ_URL = process.env.JAAZ_URL?.replace(/\/+$/, '') || undefined;
/** Real models take their time. */
const RUN_MILLIS = 300_000;

const newId = (kind: string): string => `${kind}-${randomBytes(12).toString('base64url')}`;
const canvas = newId('canvas');
const session = newId('session');
const name = `A canvas of ${newId('name')}`;

let gateway: GatewayProcess;
let direct: Client;
let alice: Client;
let bob: Client;
let aliceEar: Ear;
let bobEar: Ear;
let file: string;
const toDelete = new Set([canvas]);

interface Choice {
  readonly provider: string;
  readonly model: string;
  readonly type: string;
}

/** A body with no message sets no model to work; a chat takes the first text model that is offered. */
const body = async (ids: { canvas: string; session: string }, prompt?: string): Promise<object> => {
  const offered = JSON.parse((await alice.get('/api/list_models')).text) as Choice[];
  const model = offered.find(({ type }) => type === 'text');
  const text = prompt === undefined ? [] : [{ role: 'user', content: [{ type: 'text', text: prompt }] }];
  return {
    canvas_id: ids.canvas,
    session_id: ids.session,
    name,
    messages: text,
    tool_list: [],
    system_prompt: 'Answer in one word. Use no tool.',
    ...(model === undefined ? {} : { text_model: { provider: model.provider, model: model.model, url: '' } }),
  };
};

describe.skipIf(JAAZ_URL === undefined)('two users of the Jaaz at JAAZ_URL', () => {
  beforeAll(async () => {
    if (JAAZ_URL === undefined) return;
    direct = jaazClient({ url: JAAZ_URL, token: undefined });
    const there = await direct.get('/api/config/exists').catch(() => undefined);
    if (there?.status !== 200) throw new Error(`No Jaaz answers at JAAZ_URL (${JAAZ_URL}).`);
    gateway = await startGatewayProcess(JAAZ_URL);
    const [url, alicesToken, bobsToken] = [
      gateway.url(),
      await gateway.issuer.token('alice'),
      await gateway.issuer.token('bob'),
    ];
    alice = jaazClient({ url, token: alicesToken });
    bob = jaazClient({ url, token: bobsToken });
    aliceEar = await openEar({ url, token: alicesToken });
    bobEar = await openEar({ url, token: bobsToken });
  }, 60_000);
  afterAll(async () => {
    // Where nothing answers there is nothing to tidy up, and that has been said already.
    for (const id of toDelete) await direct?.remove(`/api/canvas/${id}/delete`).catch(() => undefined);
    aliceEar?.close();
    bobEar?.close();
    await gateway?.stop();
  }, 60_000);

  test('nobody is served without a token', async () => {
    const stranger = jaazClient({ url: gateway.url(), token: undefined });
    expect((await stranger.get('/api/canvas/list')).code).toBe('token-missing');
    expect((await stranger.get(`/api/canvas/${canvas}`)).code).toBe('token-missing');
    await expect(openEar({ url: gateway.url(), token: undefined })).rejects.toThrow();
    await expect(openEar({ url: gateway.url(), token: 'forged' })).rejects.toThrow();
  });

  test(
    'a run is heard to its end by who began it, and not at all by the other',
    async () => {
      const made = await alice.post('/api/canvas/create', await body({ canvas, session }, 'Say hello.'));
      expect([made.status, JSON.parse(made.text)]).toEqual([200, { id: canvas }]);
      // An error is an end too: which models there are, and whether they answer, is not what is tested.
      await aliceEar.done(session, 1, RUN_MILLIS);
      expect(aliceEar.updates.every(({ session_id: id }) => id === session)).toBe(true);
      expect(bobEar.updates).toEqual([]);
    },
    RUN_MILLIS + 10_000,
  );

  test('a canvas is its owner’s: the server has it, the other user sees none of it', async () => {
    expect((await direct.get('/api/canvas/list')).text).toContain(canvas);
    const seen = JSON.parse((await alice.get('/api/canvas/list')).text) as Array<{ id: string }>;
    expect(seen.map(({ id }) => id)).toEqual([canvas]);
    expect((await bob.get('/api/canvas/list')).text).toBe('[]');
    const saved = { data: { elements: [], files: {}, note: name }, thumbnail: '' };
    expect((await alice.post(`/api/canvas/${canvas}/save`, saved)).status).toBe(200);
    expect((await alice.get(`/api/canvas/${canvas}`)).text).toContain(name);
    expect((await bob.get(`/api/canvas/${canvas}`)).text).toBe('null');
    expect((await alice.get(`/api/chat_session/${session}`)).text).toContain('Say hello.');
    expect((await bob.get(`/api/chat_session/${session}`)).text).toBe('[]');
  });

  test('nor can the other change, continue, cancel or delete it', async () => {
    const before = (await direct.get(`/api/canvas/${canvas}`)).text;
    const history = (await direct.get(`/api/chat_session/${session}`)).text;
    expect((await bob.post(`/api/canvas/${canvas}/save`, { data: {}, thumbnail: '' })).code).toBe('resource-hidden');
    expect((await bob.post(`/api/canvas/${canvas}/rename`, { name: 'Bob’s' })).code).toBe('resource-hidden');
    expect((await bob.remove(`/api/canvas/${canvas}/delete`)).code).toBe('resource-hidden');
    const chat = await body({ canvas, session: newId('session') }, 'Bob was here.');
    expect((await bob.post('/api/chat', chat)).code).toBe('resource-hidden');
    const taken = await body({ canvas, session: newId('session') }, 'Bob was here.');
    expect((await bob.post('/api/canvas/create', taken)).code).toBe('resource-taken');
    const other = await body({ canvas: newId('canvas'), session }, 'Bob was here.');
    expect((await bob.post('/api/canvas/create', other)).code).toBe('resource-taken');
    expect((await bob.post(`/api/cancel/${session}`)).text).toBe('{"status":"not_found_or_done"}');
    expect((await direct.get(`/api/canvas/${canvas}`)).text).toBe(before);
    expect((await direct.get(`/api/chat_session/${session}`)).text).toBe(history);
  });

  test('an upload is its owner’s, and is named by no other in a prompt', async () => {
    const uploaded = await alice.upload('picture.png', drawPng('a picture', {}));
    expect(uploaded.status).toBe(200);
    const { file_id: id, url } = JSON.parse(uploaded.text) as { file_id: string; url: string };
    file = id;
    expect(url).toBe(`/api/file/${file}`);
    const own = await alice.get(url);
    expect([own.status, own.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect(own.bytes.length).toBeGreaterThan(0);
    expect([(await direct.get(url)).status, (await bob.get(url)).status]).toEqual([200, 404]);
    const ids = { canvas: newId('canvas'), session: newId('session') };
    for (const text of [`<image file_id="${file}" />`, `Copy ${file}`, '<image file_id="../../x.png" />']) {
      expect((await bob.post('/api/canvas/create', await body(ids, text))).code).toBe('reference-foreign');
    }
    expect((await direct.get(`/api/canvas/${ids.canvas}`)).text).toBe('null');
  });

  test('what the server had before belongs to neither', async () => {
    const old = newId('canvas');
    toDelete.add(old);
    const made = await body({ canvas: old, session: newId('session') });
    expect((await direct.post('/api/canvas/create', made)).status).toBe(200);
    await eventually(async () => (await direct.get(`/api/canvas/${old}`)).text !== 'null');
    for (const user of [alice, bob]) {
      const attempt = await body({ canvas: old, session: newId('session') });
      expect((await user.post('/api/canvas/create', attempt)).code).toBe('resource-taken');
      expect((await user.get(`/api/canvas/${old}`)).text).toBe('null');
      expect((await user.get('/api/canvas/list')).text).not.toContain(old);
      expect((await user.get('/api/canvas/default')).text).toBe('null');
    }
  });

  test('keys, settings and the host’s files are not for users', async () => {
    expect((await direct.get('/api/config')).status).toBe(200);
    expect((await alice.get('/api/config')).code).toBe('role-missing');
    expect((await alice.get('/api/settings')).code).toBe('role-missing');
    expect((await alice.get('/api/browse_filesystem?path=/')).code).toBe('route-denied');
    expect((await alice.post('/api/read_file', { path: '/etc/hostname' })).code).toBe('route-denied');
    expect((await alice.post('/api/comfyui/object_info', { url: 'http://127.0.0.1:1' })).code).toBe('route-denied');
    expect((await alice.get('/api/list_models')).text).not.toMatch(/"url"|api_key/);
  });

  test('the gateway is killed and started again, and nothing has changed hands', async () => {
    await gateway.kill();
    await gateway.restart();
    const [url, token] = [gateway.url(), await gateway.issuer.token('alice')];
    alice = jaazClient({ url, token });
    bob = jaazClient({ url, token: await gateway.issuer.token('bob') });
    expect((await alice.get(`/api/canvas/${canvas}`)).text).toContain(name);
    expect((await bob.get(`/api/canvas/${canvas}`)).text).toBe('null');
    expect((await alice.get(`/api/file/${file}`)).status).toBe(200);
    expect((await bob.get(`/api/file/${file}`)).status).toBe(404);
  }, 60_000);

  test('what was deleted is gone for both, though the server still has its chat', async () => {
    expect((await alice.remove(`/api/canvas/${canvas}/delete`)).status).toBe(200);
    expect((await direct.get(`/api/chat_session/${session}`)).text).toContain('Say hello.');
    for (const user of [alice, bob]) {
      expect((await user.get(`/api/canvas/${canvas}`)).text).toBe('null');
      expect((await user.get(`/api/chat_session/${session}`)).text).toBe('[]');
      const again = await body({ canvas, session: newId('session') });
      expect((await user.post('/api/canvas/create', again)).code).toBe('resource-taken');
    }
  });
});
