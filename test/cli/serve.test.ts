import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openDemoIssuer } from '../../demo/issuer.ts';
import { serve, startFailure } from '../../src/cli/serve.ts';

const folder = mkdtempSync(join(tmpdir(), 'serve-'));
afterAll(() => rmSync(folder, { recursive: true }));
await openDemoIssuer(folder);
mkdirSync(join(folder, 'data'));
const file = join(folder, 'gateway.yaml');
writeFileSync(
  file,
  `listen: { host: 127.0.0.1, port: 0 }
admin: { port: 0 }
upstream: { url: http://127.0.0.1:9 }
issuers: [{ name: demo, issuer: http://demo-issuer.localhost, audience: jaaz, keys: { file: demo-issuer/keys.json } }]
policies: [${JSON.stringify(resolve('policies/jaaz.yaml'))}]
log: { level: error }
`,
);

describe('serve', () => {
  test('listens until it is told to stop, then ends with 0 and leaves nothing open', async () => {
    const stop = Promise.withResolvers<string>();
    const listening = Promise.withResolvers<string>();
    const output = { out: listening.reject, err: listening.resolve };
    const options = { file, flags: {}, json: false, variables: {}, stopped: () => stop.promise };
    const ended = serve(options, output);
    const [url = '', adminUrl = ''] = (await listening.promise).match(/http:\/\/127\.0\.0\.1:\d+/g) ?? [];
    expect((await fetch(`${url}/api/canvas/list`)).status).toBe(401);
    expect((await fetch(`${adminUrl}/livez`)).status).toBe(200);
    stop.resolve('test');
    expect(await ended).toBe(0);
    expect(await refuses(Number(new URL(url).port))).toBe(true);
    expect(await refuses(Number(new URL(adminUrl).port))).toBe(true);
  });

  test('ends with 1 and says why when its port is taken', async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as AddressInfo;
    const said: string[] = [];
    const output = { out: (line: string) => said.push(line), err: (line: string) => said.push(line) };
    const stopped = () => new Promise<string>(() => undefined);
    expect(await serve({ file, flags: { port }, json: false, variables: {}, stopped }, output)).toBe(1);
    expect(said).toEqual([`Port ${port} of 127.0.0.1 is taken: another process listens there. Choose another port.`]);
    other.close();
  });

  test('ends with 3 and starts nothing when the configuration is not valid', async () => {
    const said: string[] = [];
    const output = { out: (line: string) => said.push(line), err: (line: string) => said.push(line) };
    const stopped = () => Promise.reject(new Error('asked to wait'));
    const variables = { JAAZ_GATEWAY_PORT: 'x' };
    expect(await serve({ file, flags: {}, json: true, variables, stopped }, output)).toBe(3);
    expect(JSON.parse(said.join())).toMatchObject({ valid: false, faults: [{ file: 'JAAZ_GATEWAY_PORT' }] });
  });
});

test.each([
  [
    { code: 'EADDRINUSE', address: '::', port: 1 },
    'Port 1 of :: is taken: another process listens there. Choose another port.',
  ],
  [{ code: 'EACCES', address: '::', port: 80 }, 'Port 80 of :: may not be used by this user. Choose one above 1023.'],
  [{ code: 'EADDRNOTAVAIL', address: '9.9.9.9', port: 1 }, '9.9.9.9 is not an address of this machine.'],
  [new Error('no disk'), 'The gateway could not start: no disk'],
])('a start that fails is told in a sentence: %o', (error, sentence) => {
  expect(startFailure(error)).toBe(sentence);
});

function refuses(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(false);
    });
    socket.on('error', () => done(true));
  });
}
