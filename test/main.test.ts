import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openDemoIssuer } from '../demo/issuer.ts';
import { run } from './demo/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'main-'));
afterAll(() => rmSync(folder, { recursive: true }));
const issuer = await openDemoIssuer(folder);
const file = join(folder, 'gateway.yaml');
writeFileSync(
  file,
  `listen: { host: 127.0.0.1, port: 0 }
admin: { port: 0 }
upstream: { url: http://127.0.0.1:9 }
issuers: [{ name: demo, issuer: '${issuer.url}', audience: jaaz, keys: { file: demo-issuer/keys.json } }]
policies: [${JSON.stringify(resolve('policies/jaaz.yaml'))}]
`,
);

/** As old systems, and those that keep several C libraries, start what was built for another one. */
const LOADER = '/lib64/ld-linux-x86-64.so.2';

describe('the process', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('ends with 0 on %s, its log whole', async (signal) => {
    const gateway = run(['src/main.ts', 'serve', '--config', file, '--json']);
    await gateway.until(/"listening"/);
    gateway.child.kill(signal);
    expect(await gateway.ended).toBe(0);
    const lines = gateway
      .out()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.find((line) => line.message === 'stopping')).toMatchObject({ reason: signal });
    // One whose writing was under way at the end may come after it.
    expect(lines.slice(-2)).toContainEqual(expect.objectContaining({ message: 'stopped' }));
    expect(gateway.err()).toBe('');
  });

  test('ends at once on a second signal, whatever is under way', async () => {
    const upstream = createServer();
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    const gateway = run(['src/main.ts', 'serve', '--config', file, '--json', '--upstream', upstreamUrl]);
    const url = /"url":"([^"]+)"/.exec(await gateway.until(/"listening"/))?.[1];
    const reached = new Promise((done) => {
      upstream.on('request', ({ url: target }) => target === '/api/canvas/list' && done(target));
    });
    const token = await issuer.issueToken({ user: 'alice', expiresInSeconds: 60 });
    const cut = expect(
      fetch(`${url}/api/canvas/list`, { headers: { authorization: `Bearer ${token}` } }),
    ).rejects.toThrow();
    await reached;
    gateway.child.kill('SIGINT');
    await gateway.until(/"stopping"/);
    gateway.child.kill('SIGTERM');
    expect(await gateway.ended).toBe(143);
    await cut;
    upstream.closeAllConnections();
    upstream.close();
  });

  test('begins again in the same process, so that its own sources too are read from the cache', async () => {
    const cache = join(folder, 'cache');
    const serve = ['--no-deprecation', 'src/main.ts', 'serve', '--config', file, '--json'];
    const { child, until, ended } = run(serve, { NODE_COMPILE_CACHE: undefined, TMPDIR: cache });
    await until(/"listening"/);
    const processOf = (name: string) => readFileSync(`/proc/${child.pid}/${name}`, 'utf8').split('\0');
    expect(processOf('environ').filter((one) => one.startsWith('NODE_COMPILE_CACHE='))).toEqual([
      `NODE_COMPILE_CACHE=${join(cache, `jaaz-gateway-cache-${process.getuid?.()}`)}`,
    ]);
    expect(processOf('cmdline')).toEqual([process.execPath, ...serve.with(1, resolve('src/main.ts')), '']);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  test('goes on as it is where nothing can be kept', async () => {
    const gateway = run(['src/main.ts', 'serve', '--config', file, '--json'], { NODE_DISABLE_COMPILE_CACHE: '1' });
    await gateway.until(/"listening"/);
    expect(readFileSync(`/proc/${gateway.child.pid}/environ`, 'utf8')).not.toContain('NODE_COMPILE_CACHE=');
    gateway.child.kill('SIGTERM');
    expect(await gateway.ended).toBe(0);
  });

  test('takes no code from a folder that another user of the machine can write', async () => {
    const shared = join(folder, 'shared');
    const places = ['node-compile-cache', `jaaz-gateway-cache-${process.getuid?.()}`].map((name) => join(shared, name));
    for (const place of places) {
      mkdirSync(place, { recursive: true });
      // Not by mkdir, which heeds the umask.
      chmodSync(place, 0o777);
    }
    const serve = ['src/main.ts', 'serve', '--config', file, '--json'];
    const { child, until, ended } = run(serve, { NODE_COMPILE_CACHE: undefined, TMPDIR: shared });
    await until(/"listening"/);
    expect(readFileSync(`/proc/${child.pid}/environ`, 'utf8')).not.toContain('NODE_COMPILE_CACHE=');
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    for (const place of places) expect(readdirSync(place)).toEqual([]);
  });

  test.runIf(existsSync(LOADER))('serves where the loader of libraries has started Node', async () => {
    const serve = [process.execPath, 'src/main.ts', 'serve', '--config', file, '--json'];
    const { child, until, ended } = run(serve, { NODE_COMPILE_CACHE: undefined }, LOADER);
    await until(/"listening"/);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  test('logs a promise that nobody looked after, and ends with 1', async () => {
    const script =
      "const t = setInterval(() => { if (process.listenerCount('unhandledRejection') === 0) return;" +
      "clearInterval(t); Promise.reject(new Error('nobody looked after this')); }, 10)";
    const loader = `data:text/javascript,${encodeURIComponent(script)}`;
    const gateway = run(['--import', loader, 'src/main.ts', 'serve', '--config', file, '--json']);
    expect(await gateway.ended).toBe(1);
    expect(gateway.out()).toContain('nobody looked after this');
  });

  test('reads its environment', async () => {
    const check = run(['src/main.ts', 'check', '--config', file], { JAAZ_GATEWAY_PORT: 'x' });
    expect(await check.ended).toBe(3);
    expect(check.err()).toContain('JAAZ_GATEWAY_PORT: this environment variable is not acceptable (found "x"');
  });

  test('ends with 2 for wrong usage', async () => {
    expect(await run(['src/main.ts', 'sevre']).ended).toBe(2);
  });
});
