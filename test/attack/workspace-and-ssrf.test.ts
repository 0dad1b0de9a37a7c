/** The host's files, the server's own requests and the shared keys: for every route that gives them away, no. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, jaazClient } from '../support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from '../support/people.ts';

let world: PeopledWorld;
let admin: Client;
let secret: string;
beforeAll(async () => {
  world = await startPeopledWorld();
  admin = jaazClient({ url: world.gateway.url, token: await world.issuer.token('root', { roles: ['admin'] }) });
  secret = join(world.directory, 'secret.txt');
  writeFileSync(secret, 'TOP SECRET');
});
afterAll(() => world.close());

describe('on the bare server', () => {
  test('any file of the host is read, written and deleted', async () => {
    const { client } = world.direct;
    expect((await client.post('/api/read_file', { path: secret })).text).toContain('TOP SECRET');
    const written = join(world.directory, 'written.txt');
    await client.post('/api/update_file', { path: written, content: 'EVIL' });
    expect(readFileSync(written, 'utf8')).toBe('EVIL');
    await client.post('/api/delete_file', { path: written });
    expect(existsSync(written)).toBe(false);
    expect((await client.get(`/api/browse_filesystem?path=${world.directory}`)).text).toContain('secret.txt');
  });

  test('the server fetches its own keys for whoever asks', async () => {
    const { client } = world.direct;
    const url = `${world.upstream.url}/api/config?x=`;
    expect((await client.post('/api/comfyui/object_info', { url })).text).toContain('sk-FAKE');
    const proxied = await client.post('/api/settings/comfyui/proxy', { url: world.upstream.url, path: '/api/config' });
    expect(proxied.text).toContain('sk-FAKE');
    expect((await client.get('/api/config')).text).toContain('sk-FAKE');
  });
});

const denied: ReadonlyArray<readonly [method: 'GET' | 'POST', path: string]> = [
  ...['update_file', 'create_file', 'delete_file', 'rename_file', 'read_file', 'open_folder_in_explorer'].map(
    (name) => ['POST', `/api/${name}`] as const,
  ),
  ...[
    ...[
      'list_files_in_dir?rel_path=',
      'browse_filesystem?path=',
      'get_media_files?path=/',
      'serve_file?file_path=/x.png',
    ],
    ...['get_file_thumbnail?file_path=/x.png', 'get_file_info?file_path=/etc/passwd', 'settings/my_assets_dir_path'],
    ...['test_ssl', 'test_ssl_full', 'list_chat_sessions'],
  ].map((name) => ['GET', `/api/${name}`] as const),
  ['POST', '/api/comfyui/object_info'],
  ['POST', '/api/settings/comfyui/proxy'],
  ...['/docs', '/docs/oauth2-redirect', '/redoc', '/openapi.json'].map((path) => ['GET', path] as const),
];

const ask = (client: Client, [method, path]: readonly ['GET' | 'POST', string]) =>
  method === 'GET' ? client.get(path) : client.post(path, { path: secret, url: world.upstream.url, content: 'EVIL' });

describe('through the gateway', () => {
  test.each(denied)('%s %s is denied to everybody, administrators included', async (method, path) => {
    const mark = world.mark();
    for (const client of [world.bob.client, admin, jaazClient({ url: world.gateway.url, token: undefined })]) {
      const answer = await ask(client, [method, path]);
      expect([answer.status, answer.code]).toEqual([403, 'route-denied']);
    }
    expect(world.since(mark)).toEqual([]);
  });

  test('the keys and the settings of all are for administrators', async () => {
    const mark = world.mark();
    for (const path of ['/api/config', '/api/settings', '/api/settings/proxy', '/api/settings/knowledge/enabled']) {
      const answer = await world.bob.client.get(path);
      expect([answer.status, answer.code, answer.text.includes('sk-FAKE')]).toEqual([403, 'role-missing', false]);
    }
    for (const path of ['/api/config', '/api/settings', '/api/settings/proxy']) {
      expect((await world.bob.client.post(path, { openai: { url: 'http://evil.example' } })).code).toBe('role-missing');
    }
    expect(world.since(mark)).toEqual([]);
    expect((await admin.get('/api/config')).text).toContain('sk-FAKE');
  });

  test('what every user may see names no address and no key of a provider', async () => {
    const seen = await Promise.all(['/api/list_models', '/api/list_tools'].map((path) => world.bob.client.get(path)));
    for (const { status, text } of seen) {
      expect(status).toBe(200);
      expect(text).not.toMatch(/sk-|https?:/);
    }
  });

  test('a file is asked for by its name alone', async () => {
    const mark = world.mark();
    for (const name of [
      'localmanus.db',
      'config.toml',
      'settings.json',
      'x',
      'im_12345678',
      'im_12345678.PNG',
      '.png',
    ]) {
      const answer = await world.bob.client.get(`/api/file/${name}`);
      expect([answer.status, answer.text]).toEqual([404, '{"detail":"File not found"}']);
    }
    expect(world.since(mark)).toEqual([]);
  });
});
