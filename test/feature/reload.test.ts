import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type StandIn, startStandIn } from '../../demo/jaaz/server.ts';
import type { PolicyStatus } from '../../src/policy/status.ts';
import { run } from '../demo/process.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { chatBody, type Ear, jaazClient, openEar } from '../support/jaaz-client.ts';

const POLICY = readFileSync('policies/jaaz.yaml', 'utf8');

/** The policy for Jaaz with one point changed; the name says which. */
const variant = (name: string, found = '', by = ''): string => {
  const changed = POLICY.replace(found, by);
  if (found !== '' && changed === POLICY) throw new Error(`the policy does not have ${found}`);
  return changed.replace('name: jaaz', `name: ${name}`);
};

let folder: string;
let upstream: StandIn;
let gateway: GatewayProcess;
let file: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'reload-'));
  upstream = await startStandIn({
    dataDir: folder,
    stepMillis: 10,
    recordRequests: true,
  });
  gateway = await startGatewayProcess(upstream.url, (directory) => {
    file = join(directory, 'policy.yaml');
    writeFileSync(file, variant('first'));
    return ['policy.yaml'];
  });
});
afterAll(async () => {
  await gateway.stop();
  await upstream.close();
  rmSync(folder, { recursive: true });
});

const status = async (): Promise<PolicyStatus> =>
  (await (await fetch(`${gateway.adminUrl()}/policy`)).json()) as PolicyStatus;
const isLive = (name: string): Promise<void> => eventually(async () => (await status()).name === name);
const logged = (message: string) => gateway.log().filter((line) => line.message === message);
/** The log comes by a pipe of its own: a line may arrive after what the process has answered since. */
const lastLogged = (message: string, fields: Readonly<Record<string, unknown>>): boolean => {
  const line = logged(message).at(-1);
  return line !== undefined && Object.entries(fields).every(([name, value]) => line[name] === value);
};
const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`${gateway.adminUrl()}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
};
const client = async (user: string) => jaazClient({ url: gateway.url(), token: await gateway.issuer.token(user) });
const command = async (deed: string, ...more: string[]) => {
  const port = new URL(gateway.adminUrl()).port;
  const config = join(gateway.directory, 'gateway.yaml');
  const ran = run(['src/main.ts', 'policy', deed, '--config', config, '--admin-port', port, ...more]);
  const code = await ran.ended;
  return { code, out: ran.out(), err: ran.err() };
};
const openEarOf = async (user: string): Promise<Ear> =>
  openEar({ url: gateway.url(), token: await gateway.issuer.token(user) });

describe('a changed file', () => {
  test('goes live at once, while a request is in flight and a socket is open', async () => {
    const alice = await client('alice');
    const ear = await openEarOf('alice');
    const replies: string[] = [];
    ear.socket.onAny((name: string) => replies.push(name));
    await alice.post('/api/canvas/create', chatBody({ canvas: 'c', session: 's', prompt: 'a cat' }));
    await ear.done('s');
    ear.socket.emit('ping', {});
    await eventually(() => replies.includes('pong'));

    const requests = () => upstream.requests.filter(({ path }) => path === '/api/chat').length;
    const before = requests();
    let answered = false;
    const chat = chatBody({ canvas: 'c', session: 't', prompt: '[[slow]] a dog' });
    const inFlight = alice.post('/api/chat', chat).finally(() => {
      answered = true;
    });
    await eventually(() => requests() > before);
    // Without the chat, without deltas, and with another word for what a client may say.
    const next = variant('second', 'match: POST /api/chat\n', 'match: POST /api/chats\n')
      .replace('          delta: {}\n', '')
      .replace('accept: { ping: pong }', 'accept: { ping: pang }');
    writeFileSync(file, next);
    await isLive('second');
    expect(answered).toBe(false);
    expect((await inFlight).status).toBe(200);
    expect((await alice.post('/api/chat', chatBody({ canvas: 'c', session: 's', prompt: 'x' }))).code).toBe(
      'route-unknown',
    );

    const heard = () => ear.updates.map(({ text }) => text);
    const tell = (type: string, text: string) =>
      upstream.broadcast('session_update', { session_id: 's', canvas_id: null, type, text });
    tell('delta', 'no longer listed');
    tell('tool_call', 'still listed');
    await eventually(() => heard().includes('still listed'));
    expect(heard()).not.toContain('no longer listed');
    ear.socket.emit('ping', {});
    await eventually(() => replies.includes('pang'));
    expect(ear.socket.connected).toBe(true);
    ear.close();
    await eventually(() => lastLogged('policy-reloaded', { because: 'change', generation: 2 }));
    expect(await metric('gateway_policy_generation')).toBe(2);
  });

  test('that is broken leaves the old policy live, and says why in the API, the log and the metrics', async () => {
    const { generation, sha256 } = await status();
    const failures = await metric('gateway_policy_reload_failures_total');
    writeFileSync(file, `${variant('broken')}\n  - { id: x, match: GET }\nnonsense: 1\n`);
    await eventually(async () => (await status()).lastFailure !== null);
    const now = await status();
    expect(now).toMatchObject({ generation, sha256, name: 'second' });
    expect(now.lastFailure?.faults.length).toBeGreaterThan(0);
    expect(now.lastFailure?.faults[0]).toMatchObject({ file, line: expect.any(Number), message: expect.any(String) });
    expect(await metric('gateway_policy_reload_failures_total')).toBe(failures + 1);
    expect(await metric('gateway_policy_last_reload_failure_timestamp_seconds')).toBeGreaterThan(1e9);
    await eventually(() => logged('policy-refused').length === 1);
    await eventually(() => logged('policy-fault').length === now.lastFailure?.faults.length);
    expect(logged('policy-fault')[0]?.fault).toContain(`${file}:`);
    expect((await (await client('alice')).get('/api/canvas/list')).status).toBe(200);
    const told = await command('status');
    expect(told.code).toBe(0);
    expect(told.out).toContain(`generation  ${generation}, loaded`);
    expect(told.err).toContain('policy.yaml:');
    writeFileSync(file, variant('third'));
    await isLive('third');
    expect((await status()).lastFailure).toBeNull();
  });

  test('that asks for what needs a restart is refused with that word', async () => {
    writeFileSync(file, variant('elsewhere', 'path: /socket.io/', 'path: /other/'));
    await eventually(async () => (await status()).lastFailure !== null);
    expect((await status()).lastFailure?.faults).toMatchObject([
      { message: 'the path of the socket changes from /socket.io/ to /other/: that needs a restart' },
    ]);
    expect((await status()).name).toBe('third');
  });
});

describe('a signal and the commands', () => {
  test('SIGHUP loads the files, those too that were rolled back', async () => {
    writeFileSync(file, variant('given-up'));
    await isLive('given-up');
    expect((await command('rollback')).code).toBe(0);
    await isLive('third');
    gateway.signal('SIGHUP');
    await isLive('given-up');
    await eventually(() => lastLogged('policy-reloaded', { because: 'signal' }));
    expect(await command('reload')).toMatchObject({ code: 0, out: expect.stringContaining('nothing was changed') });
  });

  test('a roll-back makes the policy before live again, and no file event undoes it', async () => {
    writeFileSync(file, variant('mistake', 'match: GET /api/canvas/list\n', 'match: GET /api/canvases\n'));
    await isLive('mistake');
    const alice = await client('alice');
    expect((await alice.get('/api/canvas/list')).text).toBe('null');
    const { generation } = await status();
    const back = await command('rollback');
    expect(back).toMatchObject({ code: 0, err: '' });
    expect(back.out).toContain('The policy before is live again.');
    expect(JSON.parse((await alice.get('/api/canvas/list')).text)).toMatchObject([{ id: 'c' }]);
    await eventually(() => lastLogged('policy-rolled-back', { from: generation, generation: generation - 1 }));

    const unchanged = readFileSync(file);
    writeFileSync(`${file}.new`, unchanged);
    renameSync(`${file}.new`, file);
    rmSync(file);
    await eventually(async () => (await status()).lastFailure !== null);
    writeFileSync(file, unchanged);
    await eventually(async () => (await status()).lastFailure === null);
    expect(await status()).toMatchObject({ name: 'given-up', rolledBackFrom: { generation } });

    expect(await command('reload', '--json')).toMatchObject({ code: 0, err: '' });
    expect(await status()).toMatchObject({ name: 'mistake', generation: generation + 1, rolledBackFrom: null });
  });

  test('end with 3 when the files are refused, with each fault', async () => {
    writeFileSync(file, 'version: 1\nname: bad\n');
    const { code, err } = await command('reload');
    expect(code).toBe(3);
    expect(err).toContain('The files were refused; what was live goes on.');
    expect(err).toContain('policy.yaml:');
    writeFileSync(file, variant('good'));
    await isLive('good');
  });

  test('end with 1 when there is nothing to go back to', async () => {
    let last = await command('rollback', '--json');
    for (let count = 0; last.code === 0 && count < 9; count += 1) last = await command('rollback', '--json');
    expect(last.code).toBe(1);
    expect(JSON.parse(last.out)).toMatchObject({ outcome: 'nothing-earlier' });
  }, 60_000);

  test('end with 1 and say so when no gateway runs there, or something else does', async () => {
    const other = createServer((_, response) => response.end('hello'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const port = String((other.address() as AddressInfo).port);
    const config = join(gateway.directory, 'gateway.yaml');
    const ask = async () => {
      const ran = run(['src/main.ts', 'policy', 'status', '--config', config, '--admin-port', port]);
      return { code: await ran.ended, err: ran.err() };
    };
    expect(await ask()).toMatchObject({ code: 1, err: expect.stringContaining('is no gateway that can do this') });
    await new Promise((resolve) => other.close(resolve));
    expect(await ask()).toMatchObject({
      code: 1,
      err: `No gateway answers at http://127.0.0.1:${port}: ECONNREFUSED. Does it run with this configuration?\n`,
    });
  });

  test('are let in by a token that only the user who runs the gateway can read', () => {
    expect(statSync(join(gateway.directory, 'admin.token')).mode & 0o777).toBe(0o600);
  });
});

test('from shadow to enforcement: an open socket stays and hears only its own from then on, a nameless one ends', async () => {
  const created = chatBody({ canvas: 'shadow-c', session: 'shadow-s', prompt: 'a fox' });
  expect((await (await client('alice')).post('/api/canvas/create', created)).status).toBe(200);
  writeFileSync(file, variant('shadowed', 'mode: enforce\n', 'mode: shadow\n'));
  await isLive('shadowed');
  const bob = await openEarOf('bob');
  const nobody = await openEar({ url: gateway.url(), token: undefined });
  const tell = (text: string) =>
    upstream.broadcast('session_update', { session_id: 'shadow-s', canvas_id: null, type: 'delta', text });
  const heard = (ear: Ear) => ear.updates.map(({ text }) => text);
  tell('for all to hear');
  await eventually(() => heard(bob).includes('for all to hear') && heard(nobody).includes('for all to hear'));

  writeFileSync(file, variant('enforced'));
  await eventually(() => !nobody.socket.connected);
  expect((await status()).name).toBe('enforced');
  const alice = await openEarOf('alice');
  tell('for its owner');
  await eventually(() => heard(alice).includes('for its owner'));
  expect([bob.socket.connected, heard(bob).includes('for its owner')]).toEqual([true, false]);
  for (const ear of [alice, bob, nobody]) ear.close();
});

test('a ConfigMap is swapped under a running gateway', async () => {
  const swap = (mount: string, name: string): void => {
    mkdirSync(join(mount, `..${name}`), { recursive: true });
    writeFileSync(join(mount, `..${name}`, 'policy.yaml'), variant(name));
    symlinkSync(`..${name}`, join(mount, '..data_tmp'));
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
  };
  let mount = '';
  const other = await startGatewayProcess(upstream.url, (directory) => {
    mount = join(directory, 'config');
    swap(mount, 'map-one');
    symlinkSync('..data/policy.yaml', join(mount, 'policy.yaml'));
    return ['config/policy.yaml'];
  });
  const name = async () => ((await (await fetch(`${other.adminUrl()}/policy`)).json()) as PolicyStatus).name;
  expect(await name()).toBe('map-one');
  for (const next of ['map-two', 'map-three']) {
    const last = await name();
    swap(mount, next);
    rmSync(join(mount, `..${last}`), { recursive: true });
    await eventually(async () => (await name()) === next);
  }
  await other.stop();
});
