/** The script as browsers get it, and at work in a real one. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { LOGIN_PATHS } from '../../src/model/login.ts';
import { SCRIPT, sessionScript } from '../../src/server/login-script.ts';
import { onePlace, openChromium } from '../support/chromium.ts';
import { ask, loginDoor } from '../support/own-door.ts';

const closing: Array<() => unknown> = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('GET /auth/session.js', () => {
  test('is the same for everybody, and may be kept and asked about', async () => {
    const { url, close } = await loginDoor();
    closing.push(close);
    const { status, text, headers } = await ask(url + LOGIN_PATHS.script);
    expect([status, text]).toEqual([200, SCRIPT]);
    expect(headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=3600',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    });
    const etag = String(headers.etag);
    expect(etag).toMatch(/^"[A-Za-z0-9_-]{22}"$/);
    for (const value of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const same = await ask(url + LOGIN_PATHS.script, { headers: { 'if-none-match': value } });
      expect([same.status, same.text, same.headers.etag], value).toEqual([304, '', etag]);
    }
    const other = await ask(url + LOGIN_PATHS.script, { headers: { 'if-none-match': '"other"' } });
    expect(other.status).toBe(200);
  });

  test('no answer changes the headers of the next', () => {
    const answer = sessionScript();
    const request = { headers: new Map() } as never;
    const first = answer({ request, form: new Map(), parameter: undefined });
    expect(answer({ request, form: new Map(), parameter: undefined }).headers).toEqual(first.headers);
  });
});

test('in Chromium a page whose fetch, request or socket is refused comes to the login', async () => {
  const refused = createServer((incoming, outgoing) => {
    const isLogin = incoming.url?.startsWith('/auth/login') === true;
    outgoing.writeHead(isLogin ? 302 : 401, isLogin ? { location: '/arrived' } : {}).end('{}');
  });
  await new Promise<void>((resolve) => refused.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => refused.close(resolve).closeAllConnections()));
  const html = (body: string) => ({ type: 'text/html', text: `<!doctype html><head>${body}</head>` });
  const script = '<script src="/auth/session.js"></script>';
  const arrived = `<script>fetch('/report',{method:'POST',body:JSON.stringify(document.referrer)})</script>`;
  const pages: ReadonlyArray<readonly [string, string]> = [
    ['fetch', `fetch('/api/x')`],
    ['request', `var r=new XMLHttpRequest();r.open('GET','/api/x');r.send()`],
    [
      'socket',
      `var n=0,f=function(){var s=new WebSocket(location.origin.replace('http','ws')+'/ws');s.onclose=function(){++n<3&&f()}};f()`,
    ],
  ];
  for (const [name, act] of pages) {
    const place = await onePlace(
      `http://127.0.0.1:${(refused.address() as AddressInfo).port}`,
      new Map([
        [`/${name}?q=1`, html(`${script}<script>${act}</script>`)],
        [LOGIN_PATHS.script, { type: 'text/javascript', text: SCRIPT }],
        ['/arrived', html(arrived)],
      ]),
    );
    const browser = openChromium(`${place.url}/${name}?q=1`);
    closing.push(browser.stop, place.stop);
    expect(await place.report, name).toBe(`${place.url}/${name}?q=1`);
  }
}, 60_000);
