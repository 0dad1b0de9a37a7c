/** Open sockets while the policy's file is changed under a running gateway: from shadow to enforce and back. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type StandIn, startStandIn } from '../../demo/jaaz/server.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { chatBody, type Ear, jaazClient, openEar } from '../support/jaaz-client.ts';

let upstream: StandIn;
let gateway: GatewayProcess;
const folder = mkdtempSync(join(tmpdir(), 'shadow-reload-'));

const policyIn = (mode: string): string => readFileSync('policies/jaaz.yaml', 'utf8').replace('mode: enforce', mode);

beforeAll(async () => {
  upstream = await startStandIn({ dataDir: join(folder, 'jaaz'), stepMillis: 0 });
  gateway = await startGatewayProcess(upstream.url, (directory) => {
    writeFileSync(join(directory, 'policy.yaml'), policyIn('mode: shadow'));
    return ['policy.yaml'];
  });
  await eventually(() => upstream.sockets() === 1);
});
afterAll(async () => {
  await gateway.stop();
  await upstream.close();
  rmSync(folder, { recursive: true });
});

const change = (mode: string): void => {
  writeFileSync(join(gateway.directory, 'policy.yaml'), policyIn(mode));
  gateway.signal('SIGHUP');
};

test('a change ends the sockets of the unknown at once, without an event, and no other', async () => {
  const [alice, bob] = [await gateway.issuer.token('alice'), await gateway.issuer.token('bob')];
  const url = gateway.url();
  const ears = { alice: await openEar({ url, token: alice }), bob: await openEar({ url, token: bob }) };
  const nobody = await openEar({ url, token: undefined });
  let lost = 0;
  for (const { socket } of Object.values(ears)) socket.on('disconnect', () => (lost += 1));
  const body = chatBody({ canvas: 'alice-c', session: 'alice-s', prompt: 'secret' });
  expect((await jaazClient({ url, token: alice }).post('/api/canvas/create', body)).status).toBe(200);
  for (const ear of [ears.alice, ears.bob, nobody]) await ear.done('alice-s', 2);

  const tell = (text: string): void =>
    upstream.broadcast('session_update', { session_id: 'alice-s', canvas_id: null, type: 'delta', text });
  const heard = (person: 'alice' | 'bob') => ears[person].updates.map(({ text }) => text);

  change('mode: enforce');
  await eventually(() => !nobody.socket.connected);
  tell('in effect');
  await eventually(() => heard('alice').includes('in effect'));
  await expect(openEar({ url, token: undefined })).rejects.toMatchObject({ data: { code: 'token-missing' } });

  change('mode: shadow');
  const again: Ear[] = [];
  await eventually(async () => {
    again.push(
      ...(await openEar({ url, token: undefined }).then(
        (ear) => [ear],
        () => [],
      )),
    );
    return again.length > 0;
  });
  tell('back');
  await eventually(() => heard('alice').includes('back') && heard('bob').includes('back'));
  expect([heard('bob').includes('in effect'), lost]).toEqual([false, 0]);
  for (const ear of [ears.alice, ears.bob, ...again]) ear.close();
});
