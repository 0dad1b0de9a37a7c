/** The body says where the model is, and the server sends the shared API key there (contract, section 6). */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chatBody } from '../support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from '../support/people.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';

let world: PeopledWorld;
let thief: Server;
let url: string;
const heard: Array<string | undefined> = [];
beforeAll(async () => {
  world = await startPeopledWorld({ policy: jaazPolicy(...withoutLimits) });
  thief = createServer((request, response) => {
    heard.push(request.headers.authorization);
    response.end('{}');
  });
  await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(thief.address() as AddressInfo).port}/v1`;
});
afterAll(async () => {
  thief.closeAllConnections();
  thief.close();
  await world.close();
});
beforeEach(() => {
  heard.length = 0;
});

let turn = 0;
const ids = () => {
  turn += 1;
  return { canvas: `canvas-${turn}`, session: `session-${turn}`, prompt: 'hello' };
};

test('on the bare server the shared key goes to whoever asks for it', async () => {
  const { client, ear } = world.direct;
  const body = { ...ids(), more: { text_model: { provider: 'openai', model: 'gpt-4o', url } } };
  await client.post('/api/canvas/create', chatBody(body));
  await ear.done(body.session);
  expect(heard).toEqual([expect.stringMatching(/^Bearer sk-FAKE-OPENAI-KEY/)]);
});

describe('through the gateway', () => {
  test('the offered model’s own address is put in its place', async () => {
    const { client, ear } = world.bob;
    const { session, ...rest } = ids();
    const more = { text_model: { provider: 'openai', model: 'gpt-4o', url, base_url: url, extra: 1 } };
    const mark = world.mark();
    expect((await client.post('/api/canvas/create', chatBody({ session, ...rest, more }))).status).toBe(200);
    await ear.done(session);
    const sent = world.upstream.requests.slice(mark).find(({ path }) => path === '/api/canvas/create');
    expect((JSON.parse(String(sent?.body)) as { text_model: object }).text_model).toEqual({
      ...{ provider: 'openai', model: 'gpt-4o', type: 'text' },
      url: 'https://api.openai.com/v1/',
    });
    expect(heard).toEqual([]);
  });

  test.each<readonly [string, unknown, string]>([
    [
      'a provider that is not offered',
      { provider: 'ollama', model: 'x', url: 'http://127.0.0.1:1' },
      'catalogue-unknown',
    ],
    [
      'a model that is not offered',
      { provider: 'openai', model: 'gpt-9', url: 'http://127.0.0.1:1' },
      'catalogue-unknown',
    ],
    ['nothing but an address', { url: 'http://127.0.0.1:1' }, 'catalogue-unknown'],
    ['a list of models', [{ provider: 'openai', model: 'gpt-4o', url: 'http://127.0.0.1:1' }], 'field-invalid'],
    ['a text', 'http://127.0.0.1:1', 'catalogue-unknown'],
    ['inherited names', { ['__proto__']: { provider: 'openai', model: 'gpt-4o' }, url: 'x' }, 'catalogue-unknown'],
  ])('%s is refused', async (_why, model, code) => {
    for (const path of ['/api/canvas/create', '/api/chat']) {
      const made = ids();
      await world.bob.client.post('/api/canvas/create', chatBody(made));
      const session = `${made.session}-more`;
      const canvas = path === '/api/chat' ? made.canvas : `${made.canvas}-more`;
      const mark = world.mark();
      const more = { text_model: model };
      const answer = await world.bob.client.post(path, chatBody({ ...made, canvas, session, more }));
      expect([answer.status, answer.code]).toEqual([400, code]);
      expect(world.since(mark).filter((line) => line.startsWith('POST'))).toEqual([]);
      // Nothing was claimed by what was refused.
      const again = await world.alice.client.post('/api/canvas/create', chatBody({ ...ids(), session }));
      expect(again.status).toBe(200);
    }
  });

  test('a second text_model, in whatever spelling, is refused', async () => {
    for (const key of ['"text_model"', '"text\\u005fmodel"']) {
      const body = JSON.stringify(chatBody(ids())).replace(/\}$/, `,${key}:{"provider":"openai","url":"${url}"}}`);
      const response = await fetch(`${world.gateway.url}/api/canvas/create`, {
        method: 'POST',
        headers: { authorization: `Bearer ${world.bob.token}`, 'content-type': 'application/json' },
        body,
      });
      expect(((await response.json()) as { code: string }).code).toBe('body-duplicate-key');
    }
    expect(heard).toEqual([]);
  });

  test('tools are replaced by the offered ones, and others dropped', async () => {
    const made = ids();
    const tool = { id: 'generate_image_by_gpt_image_1_openai', provider: 'openai', url, type: 'image' };
    const more = { tool_list: [tool, { id: 'run_shell', url }, 'x', null] };
    const mark = world.mark();
    expect((await world.bob.client.post('/api/canvas/create', chatBody({ ...made, more }))).status).toBe(200);
    await world.bob.ear.done(made.session);
    const sent = world.upstream.requests.slice(mark).find(({ path }) => path === '/api/canvas/create');
    const { tool_list: tools } = JSON.parse(String(sent?.body)) as { tool_list: Array<{ id: string }> };
    expect(tools.map(({ id }) => id)).toEqual(['generate_image_by_gpt_image_1_openai']);
    expect(String(sent?.body)).not.toContain(url);
    expect(heard).toEqual([]);
  });

  test('an image is given inline, or not at all: no address is fetched by anybody', async () => {
    for (const image of [
      url,
      `${url}#data:image/png`,
      'file:///etc/passwd',
      '//evil.example/x',
      ' data:image/png;base64,AA==',
    ]) {
      const content = [{ type: 'image_url', image_url: { url: image } }];
      const more = { messages: [{ role: 'user', content }] };
      const answer = await world.bob.client.post('/api/canvas/create', chatBody({ ...ids(), more }));
      expect(answer.code).toBe('image-not-inline');
    }
  });
});
