/** What was another's a moment ago: on the same connection, in a cache on the way, in the records of the gateway itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chatBody } from '../support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from '../support/people.ts';
import { exchange, portOf, requestText } from '../support/wire.ts';

let world: PeopledWorld;
let file: string;
beforeAll(async () => {
  world = await startPeopledWorld();
  const { client, ear } = world.alice;
  await client.post('/api/canvas/create', chatBody({ canvas: 'a-c', session: 'a-s', prompt: 'PRIVATE-WORD' }));
  await ear.done('a-s', 2);
  file = await ear.picture('a-s');
});
afterAll(() => world.close());

test('on one connection every request is its own caller’s', async () => {
  const people: ReadonlyArray<readonly string[]> = [
    [`Authorization: Bearer ${world.alice.token}`],
    [`Authorization: Bearer ${world.bob.token}`],
    [],
    [`Authorization: Bearer ${world.alice.token}`],
    [`Authorization: Bearer ${world.bob.token}`],
  ];
  for (const path of ['/api/canvas/list', '/api/canvas/a-c', '/api/chat_session/a-s']) {
    const requests = people.map((identity) => requestText(`GET ${path} HTTP/1.1`, ['Host: x', ...identity]));
    const { answers } = await exchange(portOf(world.gateway.url), requests.join(''), { answers: people.length });
    expect(answers.map(({ status, body }) => `${status} ${body.includes('PRIVATE-WORD')}`)).toEqual([
      ...['200 true', '200 false', '401 false'],
      ...['200 true', '200 false'],
    ]);
  }
});

test('nothing that is somebody’s may be kept on the way, shown or hidden', async () => {
  for (const { client } of [world.alice, world.bob]) {
    for (const path of ['/api/canvas/list', '/api/canvas/a-c', '/api/chat_session/a-s', `/api/file/${file}`]) {
      const { headers } = await client.get(path);
      expect(`${path}: ${headers.get('cache-control')}`).toMatch(/: (?:private|no-store)/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect([headers.get('set-cookie'), headers.get('access-control-allow-origin')]).toEqual([null, null]);
    }
  }
});

test('a file of a user’s is never run in the page’s name', async () => {
  const { headers } = await world.alice.client.get(`/api/file/${file}`);
  expect(headers.get('content-security-policy')).toContain('sandbox');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
});

test('records and log hold no token, no prompt and no name', async () => {
  await world.bob.client.post('/api/canvas/create', chatBody({ canvas: 'a-c', session: 'b-s', prompt: 'BOBS-WORD' }));
  await world.alice.client.post('/api/canvas/a-c/rename', { name: 'PRIVATE-NAME' });
  const records = world.audit();
  expect(records.length).toBeGreaterThan(5);
  const written = JSON.stringify(records) + readFileSync(join(world.directory, 'gateway.log'), 'utf8');
  const [, payload = '-', signature = '-'] = world.alice.token.split('.');
  for (const secret of ['PRIVATE-WORD', 'PRIVATE-NAME', 'BOBS-WORD', payload, signature]) {
    expect(written).not.toContain(secret);
  }
});
