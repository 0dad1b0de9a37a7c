import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { get, start } from './support.ts';

let standIn: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  standIn = await start();
});
afterAll(() => standIn[Symbol.asyncDispose]());

test('the page and all that it loads are served from here, and not to be stored', async () => {
  const page = await fetch(standIn.url);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const html = await page.text();
  expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  const loaded = Array.from(html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g), ([, path = '']) => path);
  const wanted = [...loaded];
  for (const path of wanted) {
    const response = await fetch(standIn.url + path);
    expect([path, response.status]).toEqual([path, 200]);
    expect(response.headers.get('cache-control')).toContain('no-store');
    const text = await response.text();
    if (!path.includes('socket.io')) {
      for (const [, imported = ''] of text.matchAll(/from '([^']+)'/g))
        if (!wanted.includes(imported)) wanted.push(imported);
    }
  }
  expect(wanted).toEqual(expect.arrayContaining(['/assets/studio.js', '/assets/view.js', '/assets/api.js']));
});

test('every part that the page’s script looks for is in the page', async () => {
  const html = (await get(standIn, '/')).text;
  const script = (await get(standIn, '/assets/studio.js')).text;
  const parts = [...script.matchAll(/#part\('([\w-]+)'\)/g)].map(([, name]) => name);
  expect(parts.length).toBeGreaterThan(10);
  for (const name of parts) expect(html).toContain(`data-part="${name}"`);
});

test('the page shows no token, and what is not an asset is the gateway’s own', async () => {
  const html = (await get(standIn, '/')).text;
  const links = Array.from(html.matchAll(/(?:src|href|action)="(\/[^"]*)"/g), ([, path = '']) => path);
  expect(links.filter((path) => !path.startsWith('/assets/'))).toEqual(['/auth/me', '/auth/logout']);
  for (const name of ['app.js', 'api.js', 'studio.js', 'view.js']) {
    const script = (await get(standIn, `/assets/${name}`)).text;
    expect(script).not.toMatch(/authorization|bearer|token|sessionStorage|localStorage/i);
  }
});

test('an asset gives a 304 although it is not to be stored', async () => {
  const url = `${standIn.url}/assets/style.css`;
  const etag = (await fetch(url)).headers.get('etag') ?? '';
  expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304);
});

test('other static paths do not exist', async () => {
  for (const path of [
    '/assets/',
    '/assets/../server.ts',
    '/assets/nothing.js',
    '/index.html',
    '/canvas/x',
    '/favicon.ico',
  ]) {
    expect((await get(standIn, path)).status).toBe(404);
  }
});

test('the API describes itself: 48 routes', async () => {
  const { paths } = JSON.parse((await get(standIn, '/openapi.json')).text);
  expect(Object.values(paths).flatMap((methods) => Object.keys(methods as object))).toHaveLength(48);
  for (const path of ['/docs', '/docs/oauth2-redirect', '/redoc']) expect((await get(standIn, path)).status).toBe(200);
});

test('runs as a process of its own and ends cleanly', async () => {
  const data = mkdtempSync(join(tmpdir(), 'stand-in-'));
  const main = fileURLToPath(new URL('../../demo/jaaz/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, '--port', '0', '--data', data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await once(child.stdout, 'data');
  const url = /http:\/\/[\d.:]+/.exec(String(said))?.[0];
  expect(await (await fetch(`${url}/api/config/exists`)).json()).toEqual({ exists: true });
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  rmSync(data, { recursive: true });
});
