/** Cross-site requests from real pages of other origins, in a browser with a session: refused, and nothing changed. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, type TestBrowser } from '../support/browser.ts';
import { type DemoProcess, startDemo } from '../support/demo-process.ts';
import { attempt, type ForeignSite, startForeignSite, submitTo, type Tries } from '../support/foreign-site.ts';
import { draw, logIn, part } from '../support/visit.ts';

let demo: DemoProcess;
let browser: TestBrowser;
let site: ForeignSite;
let alice: Page;
let hers: Omit<Tries, 'mark'>;
beforeAll(async () => {
  [demo, browser, site] = await Promise.all([startDemo(), openBrowser(), startForeignSite()]);
  alice = await browser.open();
  await logIn(alice, demo, 'Alice');
  const victim = await draw(alice, 'Draw a cat');
  const picture = (await part(alice, 'board').getByRole('img').first().getAttribute('src')) ?? '';
  hers = { victim, picture };
});
afterAll(async () => {
  await browser.close();
  site.close();
  await demo.stop();
});

/** The ids of all canvases of the server, past the gateway. */
const canvases = async (): Promise<readonly string[]> => {
  const list = (await (await fetch(`${demo.upstreamUrl}/api/canvas/list`)).json()) as ReadonlyArray<{ id: string }>;
  return list.map(({ id }) => id);
};

/** Why requests of a route were refused since then; those of her own window were not. */
const reasons = (route: string, from: number): readonly unknown[] =>
  demo
    .audit()
    .slice(from)
    .filter((record) => record.route === route && record.outcome === 'refused')
    .map(({ reason }) => reason);

test('each attempt works against the bare server', async () => {
  const page = await browser.open();
  await page.goto(site.stranger);
  const found = await attempt(page, demo.upstreamUrl, { mark: 'bare', ...hers });
  expect(found).toMatchObject({ pictureWidth: expect.any(Number), socket: 'open', framed: true });
  expect(found.pictureWidth).toBeGreaterThan(0);
  expect(await canvases()).toEqual(expect.arrayContaining(['bare-form', 'bare-fetch']));
});

describe.each(['sibling', 'stranger'] as const)('from a page of a %s', (whose) => {
  test('nothing is written, read, deleted, shown, heard or framed', async () => {
    const before = demo.audit().length;
    const page = await alice.context().newPage();
    await page.goto(site[whose]);
    expect(await attempt(page, demo.url, { mark: whose, ...hers })).toEqual({
      read: 'TypeError',
      deleted: 'TypeError',
      pictureWidth: 0,
      socket: 'closed',
      framed: false,
    });
    const all = await canvases();
    expect(all).toContain(hers.victim);
    expect(all.filter((id) => id.startsWith(whose))).toEqual([]);
    // The cookie comes along from a sibling: what refuses is where the request came from, not that nobody is known.
    const expected = whose === 'sibling' ? 'site-foreign' : 'token-missing';
    await expect.poll(() => reasons('canvas.create', before)).toEqual([expected, expected]);
    await expect.poll(() => reasons('canvas.list', before)).toEqual([expected]);
    await expect.poll(() => reasons('file.read', before)).toEqual([expected]);
  });

  test('a form does not log out', async () => {
    const page = await alice.context().newPage();
    await page.goto(site[whose]);
    expect(await submitTo(page, `${demo.url}/auth/logout`)).toBe(403);
    await alice.reload();
    await alice.getByText('You are alice').waitFor();
  });

  test('a form as the whole window writes nothing', async () => {
    const page = await alice.context().newPage();
    await page.goto(site[whose]);
    expect(await submitTo(page, `${demo.url}/api/cancel/some-session`)).toBe(whose === 'sibling' ? 403 : 401);
  });

  test('a link to the page opens it, as everywhere', async () => {
    const page = await alice.context().newPage();
    await page.goto(site[whose]);
    await page.evaluate(`location.assign(${JSON.stringify(`${demo.url}/`)})`);
    await page.getByText('You are alice').waitFor();
  });
});

test('the window of the user itself goes on', async () => {
  await alice.reload();
  await draw(alice, 'Draw another cat');
});
