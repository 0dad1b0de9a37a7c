/** CWE-1021: a page of somebody else's shows one of the gateway's in a frame, invisible, below what one means to click. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SESSION_COOKIE } from '../../src/model/cookie.ts';
import { onePlace, openChromium } from '../support/chromium.ts';
import { ask, loginDoor, NAVIGATION, SESSION } from '../support/own-door.ts';

let door: Awaited<ReturnType<typeof loginDoor>>;
beforeAll(async () => {
  const providers = [
    { name: 'one', title: 'One' },
    { name: 'two', title: 'Two' },
  ];
  door = await loginDoor({ providers });
});
afterAll(() => door.close());

describe('in no frame is shown', () => {
  test.each([
    ['the choice of a provider', '/auth/login', 200],
    ['the question whether to log out', '/auth/logout', 200],
    ['the end of a session', '/auth/logged-out', 200],
    ['the account', '/auth/me', 200],
    ['a refusal', '/auth/callback', 400],
    ['what is not there', '/auth/nothing', 404],
  ])('%s', async (_what, path, expected) => {
    const headers = { ...NAVIGATION, cookie: `${SESSION_COOKIE}=${SESSION}` };
    const { status, headers: told } = await ask(door.url + path, { headers });
    expect([status, told['content-type']]).toEqual([expected, 'text/html; charset=utf-8']);
    expect(told['x-frame-options']).toBe('DENY');
    expect(told['content-security-policy']).toContain("frame-ancestors 'none'");
  });
});

/** The place serves a page that frames another address of its own, and what that one holds reports that it is shown. */
const framed = async (path: string, shown: ReadonlyMap<string, { type: string; text: string }>): Promise<unknown> => {
  const outer = `<!doctype html><iframe src="${path}"></iframe><script>
    const frame = document.querySelector('iframe');
    frame.onload = () => {
      let text = '';
      try { text = frame.contentDocument.body.innerText } catch { text = 'blocked' }
      fetch('/report', { method: 'POST', body: JSON.stringify(text) });
    };
  </script>`;
  const place = await onePlace(door.url, new Map([...shown, ['/outer', { type: 'text/html', text: outer }]]));
  const browser = openChromium(`${place.url}/outer`);
  try {
    return await place.report;
  } finally {
    await browser.stop();
    place.stop();
  }
};

test('in Chromium a frame shows a page that says nothing of frames, and none of the gateway’s, even on its own origin', async () => {
  const plain = new Map([['/plain', { type: 'text/html', text: '<p>Log out?</p>' }]]);
  expect(await framed('/plain', plain)).toBe('Log out?');
  expect(await framed('/auth/logout', new Map())).toBe('blocked');
}, 60_000);
