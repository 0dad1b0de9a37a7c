/**
 * The upstream's list holds everybody's canvases, pictures included. What one user has saved there must not cost another
 * his own list.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { chatBody, jaazClient } from '../support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from '../support/people.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';

let world: PeopledWorld;
beforeAll(async () => {
  world = await startPeopledWorld({ policy: jaazPolicy(...withoutLimits) });
});
afterAll(() => world.close());

test('a neighbour’s large thumbnails do not take the list away from the others', async () => {
  const { alice, bob } = world;
  await alice.client.post('/api/canvas/create', chatBody({ canvas: 'a-c', session: 'a-s', prompt: 'mine' }));
  await alice.ear.done('a-s', 2);
  const thumbnail = `data:image/png;base64,${'A'.repeat(24e6)}`;
  for (const name of ['b-1', 'b-2', 'b-3']) {
    await bob.client.post('/api/canvas/create', chatBody({ canvas: name, session: `${name}-s`, prompt: 'large' }));
    await bob.ear.done(`${name}-s`, 2);
    // It may be refused. What may not be is that it is accepted, and Alice pays for it.
    await bob.client.post(`/api/canvas/${name}/save`, { data: {}, thumbnail });
  }
  const list = await alice.client.get('/api/canvas/list');
  expect([list.status, list.code]).toEqual([200, undefined]);
  expect((JSON.parse(list.text) as Array<{ id: string }>).map(({ id }) => id)).toEqual(['a-c']);
});

/** Where the peak of another process's memory can be read. */
const isLinux = existsSync('/proc/self/status');

test.runIf(isLinux)(
  'one user’s many lists are not held in memory, and another is served all the while',
  async () => {
    const row = (index: number) => ({
      id: `c-${index}`,
      name: 'x',
      thumbnail: `data:image/png;base64,${'A'.repeat(16e5)}`,
    });
    const list = Buffer.from(JSON.stringify(Array.from({ length: 25 }, (_, index) => row(index))));
    const upstream = createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(request.url === '/api/canvas/list' ? list : '{"exists":true}');
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    // A process of its own, so that nobody else's memory is measured with it.
    const gateway = await startGatewayProcess(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`);
    try {
      const client = async (user: string) =>
        jaazClient({ url: gateway.url(), token: await gateway.issuer.token(user) });
      const [alice, bob] = [await client('alice'), await client('bob')];
      const before = gateway.peakMemory();
      let under = true;
      const lists = Promise.all(Array.from({ length: 40 }, () => bob.get('/api/canvas/list')));
      void lists.finally(() => {
        under = false;
      });
      let answered = 0;
      while (under) {
        expect((await alice.get('/api/config/exists')).status).toBe(200);
        if (under) answered += 1;
      }
      // Served, or refused as too many at once: either way the others go on.
      for (const { status } of await lists) expect([200, 429, 503]).toContain(status);
      expect(answered).toBeGreaterThan(0);
      // Read as wholes, all forty would be there at once.
      expect(gateway.peakMemory() - before).toBeLessThan(10 * list.length);
    } finally {
      await gateway.stop();
      upstream.closeAllConnections();
      upstream.close();
    }
  },
  60_000,
);
