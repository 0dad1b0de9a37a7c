import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { plainBrowser } from './plain-browser.ts';
import { type Run, run } from './process.ts';

const folder = mkdtempSync(join(tmpdir(), 'demo-'));
const data = join(folder, 'data');
const anyPorts = ['--port', '0', '--admin-port', '0', '--provider-port', '0', '--data', data];
afterAll(() => rmSync(folder, { recursive: true }));

describe('npm start', () => {
  let demo: Run;
  let text = '';
  beforeAll(async () => {
    demo = run(['demo/main.ts', ...anyPorts]);
    text = await demo.until(/Ctrl-C ends it/);
  });
  afterAll(() => demo.child.kill('SIGKILL'));

  const addressOf = (name: string) => new RegExp(`^  ${name} +(\\S+)`, 'm').exec(text)?.[1] ?? '';
  const tokenOf = (name: string) => new RegExp(`^export ${name}=(\\S+)$`, 'm').exec(text)?.[1] ?? '';

  test('tells first what to open, then where everything is, and all of it answers', async () => {
    expect(text.trim().split('\n')[0]).toBe(
      `Open ${addressOf('gateway')}/ and log in as alice or bob. There are no passwords.`,
    );
    expect((await fetch(`${addressOf('gateway')}/assets/app.js`)).status).toBe(200);
    const discovered = await fetch(`${addressOf('provider')}/.well-known/openid-configuration`);
    expect(await discovered.json()).toMatchObject({ issuer: addressOf('provider') });
    expect((await fetch(`${addressOf('admin')}/livez`)).status).toBe(200);
    expect((await fetch(`${addressOf('upstream')}/api/canvas/list`)).status).toBe(200);
  });

  test('prints commands that can be pasted and show the isolation', async () => {
    const exports = text.match(/^export .*$/gm)?.join('\n') ?? '';
    const commands = /^# 1\..*?^tail[^\n]*$/ms.exec(text)?.[0] ?? '';
    const { stdout } = await promisify(execFile)('bash', ['-c', `${exports}\n${commands}`]);
    const [created, alices, bobs, hidden, deleted, nobody, ...audit] = stdout
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l));
    expect(created).toEqual({ id: expect.stringMatching(/^canvas-/) });
    expect(alices).toMatchObject([{ id: created.id, name: 'A cat' }]);
    expect(bobs).toEqual([]);
    expect(hidden).toBeNull();
    expect(deleted).toMatchObject({ status: 404, code: 'resource-hidden' });
    expect(nobody).toMatchObject({ status: 401, code: 'token-missing' });
    expect(audit.map((record) => record.owner)).toContain('demo|alice');
    expect(JSON.stringify(audit)).not.toContain(tokenOf('ALICE'));
  });

  test('the page leads to the login page of the provider', async () => {
    const browser = plainBrowser('https://nowhere.example');
    expect(await browser.open(`${addressOf('gateway')}/`)).toContain('Who do you want to be?');
    expect(browser.at()).toMatch(`${addressOf('provider')}/login/`);
  });

  test('takes tokens that the token command prints', async () => {
    const command = run(['demo/token.ts', 'carol', '--role', 'admin', '--expires', '5m', '--data', data]);
    expect(await command.ended).toBe(0);
    const headers = { authorization: `Bearer ${command.out().trim()}` };
    expect((await fetch(`${addressOf('gateway')}/api/config`, { headers })).status).toBe(200);
    const user = { authorization: `Bearer ${tokenOf('ALICE')}` };
    expect((await fetch(`${addressOf('gateway')}/api/config`, { headers: user })).status).toBe(403);
  });

  test('leaves a gateway.yaml that can be used again', () => {
    const loaded = loadConfig({ file: join(data, 'gateway.yaml'), variables: {} });
    expect(loaded).toMatchObject({
      config: {
        listen: { host: '127.0.0.1', port: 8080 },
        upstream: { url: addressOf('upstream') },
        issuers: [{ name: 'demo', issuer: addressOf('provider'), login: { clientId: 'jaaz-gateway' } }],
      },
    });
    expect(readFileSync(join(data, 'gateway.yaml'), 'utf8')).not.toContain(tokenOf('ALICE'));
    expect(statSync(join(data, 'gateway.yaml')).mode & 0o777).toBe(0o600);
  });

  test('ends with 0 on Ctrl-C, soon and with nothing left', async () => {
    demo.child.kill('SIGINT');
    // npm sends a second one behind the terminal's.
    demo.child.kill('SIGINT');
    expect(await demo.ended).toBe(0);
    expect(demo.err()).toBe('');
    await expect(fetch(addressOf('gateway'))).rejects.toThrow();
    await expect(fetch(addressOf('upstream'))).rejects.toThrow();
    await expect(fetch(addressOf('provider'))).rejects.toThrow();
  }, 5000);

  test('starts again on the same data, before another upstream, and says it as JSON', async () => {
    const again = run(['demo/main.ts', ...anyPorts, '--upstream', 'http://127.0.0.1:9', '--json']);
    const told = JSON.parse(await again.until(/\n/));
    expect(told).toMatchObject({
      upstreamUrl: 'http://127.0.0.1:9',
      standIn: false,
      dataDir: data,
      page: `${told.url}/`,
    });
    // The tokens of the last time name its address.
    expect(told.providerUrl).toBe(addressOf('provider'));
    const headers = { authorization: `Bearer ${tokenOf('ALICE')}` };
    expect((await fetch(`${told.url}/api/canvas/list`, { headers })).status).toBe(502);
    expect((await fetch(`${told.providerUrl}/jwks`)).status).toBe(200);
    again.child.kill('SIGTERM');
    expect(await again.ended).toBe(0);
  });
});

test('a taken port is told in a sentence, with exit code 1', async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  const { port } = other.address() as AddressInfo;
  const demo = run(['demo/main.ts', ...anyPorts, '--port', String(port)]);
  expect(await demo.ended).toBe(1);
  expect(demo.err()).toContain(`Port ${port} of 127.0.0.1 is taken`);
  other.close();
});

test.each([
  ['demo/main.ts', ['--port', 'x'], '--port is not acceptable: expected a port'],
  ['demo/main.ts', ['--provider-port', '70000'], '--provider-port is not acceptable: expected a port'],
  ['demo/main.ts', ['--upstream', 'x'], '--upstream is not acceptable: expected an http'],
  ['demo/main.ts', ['--prot', '1'], "Unknown option '--prot'"],
  ['demo/token.ts', [], 'Exactly one USER'],
  ['demo/token.ts', ['a', 'b'], 'Exactly one USER'],
  ['demo/token.ts', ['a b'], 'USER is not acceptable: "a b"'],
  ['demo/token.ts', ['a', '--expires', 'soon'], '--expires is not acceptable: "soon"'],
])('%s %j is wrong usage', async (program, words, message) => {
  const command = run([program, ...words]);
  expect(await command.ended).toBe(2);
  expect(command.err()).toContain(message);
  expect(command.err()).toContain('usage: npm');
});
