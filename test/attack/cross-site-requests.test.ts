/**
 * A page of somebody else has the visitor's browser send requests, to which it adds the visitor's cookie (CSRF). From another
 * site SameSite=Lax holds most of them back; from another host or port of the same site it holds nothing back.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openChromium } from '../support/chromium.ts';
import { type CredentialDoor, openCredentialDoor } from '../support/credential-door.ts';
import { eventually } from '../support/eventually.ts';

const POLICY = `version: 1
name: p
routes:
  - { id: read, match: GET /read }
  - { id: act, match: POST /act }
  - { id: gone, match: DELETE /act }
`;

const open: CredentialDoor[] = [];
const openDoor = async (origins: readonly string[] = []): Promise<CredentialDoor> => {
  const one = await openCredentialDoor({ policy: POLICY, origins });
  open.push(one);
  return one;
};
let door: CredentialDoor;
beforeAll(async () => {
  door = await openDoor();
});
afterEach(() => expect(open.flatMap(({ faults }) => faults)).toEqual([]));
afterAll(async () => {
  for (const one of open) await one.close();
});

const asked = async (line: string, headers: Readonly<Record<string, string>>) => {
  const { status, code } = await door.ask(line, { ...door.sessions.cookieOf('ann'), ...headers });
  const reached = door.arrived().map(({ method, target }) => `${method} ${target}`);
  return code === undefined ? reached : [`${status} ${code}`, ...reached];
};
const REFUSED = ['403 site-foreign'];
const NEIGHBOUR = { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' };
const FOREIGN = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };

describe.each(['POST /act', 'DELETE /act'])('%s', (line) => {
  test('works for the own page, by the word of new browsers and of old ones', async () => {
    expect(await asked(line, { 'sec-fetch-site': 'same-origin' })).toEqual([line]);
    expect(await asked(line, { origin: door.url })).toEqual([line]);
  });

  test.each([
    ['a page of another site', FOREIGN],
    ['a page of another port of this host', NEIGHBOUR],
    ['a page in a sandbox', { 'sec-fetch-site': 'cross-site', origin: 'null' }],
    ['a form of another site', { ...FOREIGN, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
    ['a page of another site in an old browser', { origin: 'https://evil.example' }],
    ['a page that hides what it is', { referer: 'https://evil.example' }],
    ['a page that names the gateway where it is not asked', { ...FOREIGN, referer: 'http://127.0.0.1/' }],
  ])('is not done for %s', async (_, headers) => {
    expect(await asked(line, headers)).toEqual(REFUSED);
  });

  test('is done for a token, which no browser adds by itself, whatever the page', async () => {
    const headers = { authorization: `Bearer ${door.token('ann')}`, ...FOREIGN };
    expect((await door.ask(line, headers)).status).toBe(200);
    expect(door.arrived()).toHaveLength(1);
  });

  test('is done in no other way: not by a header or parameter that claims another method', async () => {
    const claims = { 'x-http-method-override': line.split(' ')[0] ?? '', 'x-method-override': 'POST' };
    expect(await asked('GET /act?_method=POST', { ...FOREIGN, ...claims })).toEqual(['404 route-unknown']);
  });
});

describe('GET /read', () => {
  test.each([
    ['a picture, script or frame of another site', FOREIGN],
    ['a page of another port of this host', NEIGHBOUR],
    ['a frame in a page of another port', { ...NEIGHBOUR, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
  ])('shows nothing to %s', async (_, headers) => {
    expect(await asked('GET /read', headers)).toEqual(REFUSED);
  });

  test('is shown by itself where a link of another site leads to it', async () => {
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect(await asked('GET /read', link)).toEqual(['GET /read']);
  });
});

/** What a page does with the gateway at `target`, in a browser that is logged in there, and then says that it is done. */
const attack = (target: string): string => `<!doctype html><iframe name="sink"></iframe>
<form method="post" action="${target}/act" target="sink"></form>
<script>
const quietly = (doing) => doing.then(() => undefined, () => undefined);
const picture = () => new Promise((resolve) => {
  const image = new Image();
  image.onload = image.onerror = resolve;
  image.src = '${target}/read';
});
const form = () => new Promise((resolve) => {
  document.querySelector('iframe').onload = resolve;
  document.querySelector('form').submit();
});
const send = (mode) => fetch('${target}/act', { method: 'POST', mode, credentials: 'include' });
(async () => {
  await quietly(send('no-cors'));
  await quietly(send('cors'));
  await quietly(form());
  await quietly(picture());
  await fetch('/done', { method: 'POST' });
})();
</script>`;

interface Page {
  readonly origin: string;
  /** Resolves when the page has done all that it does to a gateway, in a browser that has the cookie. */
  attack(at: CredentialDoor): Promise<void>;
  close(): void;
}

/** A page on another port of the gateway's host. Cookies know no ports: what it sets stands for what the login has set. */
const openPage = async (): Promise<Page> => {
  let target: CredentialDoor | undefined;
  let done = (): void => undefined;
  const server: Server = createServer((incoming: IncomingMessage, outgoing) => {
    if (incoming.url === '/done') done();
    if (incoming.url !== '/' || target === undefined) return outgoing.writeHead(204).end();
    const { cookie } = target.sessions.cookieOf('ann');
    const session = `${cookie.slice(cookie.indexOf('__Host-'))}; Path=/; Secure; HttpOnly; SameSite=Lax`;
    return outgoing.writeHead(200, { 'content-type': 'text/html', 'set-cookie': session }).end(attack(target.url));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    async attack(at) {
      target = at;
      const finished = new Promise<void>((resolve) => {
        done = resolve;
      });
      const browser = openChromium(origin);
      try {
        await finished;
      } finally {
        await browser.stop();
      }
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
};

test('a browser that is logged in does what a page of another port wants where that is listed, and else does not', async () => {
  const page = await openPage();
  try {
    const trusting = await openDoor([page.origin]);
    await page.attack(trusting);
    const done = trusting.arrived();
    expect(done.map(({ method, target }) => `${method} ${target}`)).toEqual(['POST /act', 'POST /act', 'POST /act']);
    expect(done.every(({ headers }) => headers.includes('x-user-id: main|ann'))).toBe(true);

    const guarded = await openDoor();
    await page.attack(guarded);
    expect(guarded.arrived()).toEqual([]);
    const lines = () => guarded.auditText().split('\n').slice(0, -1);
    await eventually(() => lines().length === 4);
    const told = lines().map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told.map(({ method, reason }) => `${method} ${reason}`)).toEqual([
      'POST site-foreign',
      'POST site-foreign',
      'POST site-foreign',
      'GET site-foreign',
    ]);
  } finally {
    page.close();
  }
}, 60_000);
