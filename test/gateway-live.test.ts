import { afterEach, expect, test } from 'vitest';
import { parsePolicy } from '../src/policy/load.ts';
import { eventually } from './support/eventually.ts';
import { scrape } from './support/gauges.ts';
import { openEar } from './support/jaaz-client.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
afterEach(() => world.close());

test('what the policy has is open, and closes with the gateway', async () => {
  world = await startWorld();
  const ear = await openEar({ url: world.gateway.url, token: await world.issuer.token('alice') });
  await eventually(() => world.upstream.sockets() === 1);
  expect((await scrape(world.gateway.adminUrl)).value('gateway_sockets')).toBe(1);
  const gone = new Promise((resolve) => ear.socket.once('disconnect', resolve));
  await world.gateway.close(200);
  await gone;
  await eventually(() => world.upstream.sockets() === 0);
});

test('a policy without a socket hears nothing of the upstream, and is ready all the same', async () => {
  const loaded = parsePolicy({
    file: 'plain.yaml',
    text: 'version: 1\nname: plain\nroutes:\n  - { id: page, match: GET /, access: public }\n',
  });
  if ('faults' in loaded) throw new Error(JSON.stringify(loaded.faults));
  world = await startWorld({ policy: loaded.policy });
  await fetch(`${world.gateway.url}/`);
  expect(world.upstream.sockets()).toBe(0);
  expect((await fetch(`${world.gateway.adminUrl}/readyz`)).status).toBe(200);
});
