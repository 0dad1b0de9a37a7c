/** Two users at the stand-in's page, which sends no tokens: their canvases, pictures and live events are their own. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, picture, type TestBrowser } from '../support/browser.ts';
import { type DemoProcess, startDemo } from '../support/demo-process.ts';
import { canvasNames, draw, heard, logIn, part, pictureWidths } from '../support/visit.ts';

let demo: DemoProcess;
let browser: TestBrowser;
let alice: Page;
let bob: Page;
let hers: string;
const asked: string[] = [];

beforeAll(async () => {
  [demo, browser] = await Promise.all([startDemo(), openBrowser()]);
  [alice, bob] = await Promise.all([browser.open(), browser.open()]);
  for (const page of [alice, bob]) {
    page.on('request', (request) => {
      if (request.headers().authorization !== undefined) asked.push(request.url());
    });
  }
  await Promise.all([logIn(alice, demo, 'Alice'), logIn(bob, demo, 'Bob')]);
  hers = await draw(alice, 'Draw a cat for alice');
  await draw(bob, 'Draw a dog for bob');
});
afterAll(async () => {
  await browser.close();
  await demo.stop();
});

test('each sees the canvases that they made, and nobody else’s', async () => {
  for (const [page, own] of [
    [alice, 'Draw a cat for alice'],
    [bob, 'Draw a dog for bob'],
  ] as const) {
    await page.reload();
    await page.getByText('You are').waitFor();
    expect(await canvasNames(page)).toEqual([own]);
  }
  await alice.getByRole('button', { name: /Draw a cat/ }).click();
  await part(alice, 'board').getByRole('img').waitFor();
  await picture(alice, 'page-alice');
});

test('pictures are plain images, and come', async () => {
  await alice.reload();
  await alice.getByRole('button', { name: /Draw a cat/ }).click();
  await part(alice, 'board').getByRole('img').waitFor();
  const sources: string[] = await alice.evaluate('Array.from(document.images, (image) => image.getAttribute("src"))');
  expect(sources.length).toBeGreaterThan(1);
  for (const source of sources) expect(source).toMatch(/^\/api\/file\//);
  await expect.poll(async () => (await pictureWidths(alice)).every((width) => width > 0)).toBe(true);
});

test('another’s picture and canvas are not there', async () => {
  const source = await part(alice, 'board').getByRole('img').getAttribute('src');
  const widths = await bob.evaluate(`new Promise((seen) => {
    const image = new Image();
    image.onload = image.onerror = () => seen(image.naturalWidth);
    image.src = ${JSON.stringify(source)};
  })`);
  expect(widths).toBe(0);
  await bob.getByLabel('Try a canvas id').fill(hers);
  await bob.getByRole('button', { name: 'Open', exact: true }).click();
  await bob.getByRole('heading', { name: 'There is no such canvas for this user' }).waitFor();
});

test('each hears the events of their own chats', async () => {
  await Promise.all([alice.reload(), bob.reload()]);
  await Promise.all([draw(alice, 'MARK-OF-ALICE'), draw(bob, 'MARK-OF-BOB')]);
  const [ofAlice, ofBob] = [await heard(alice), await heard(bob)];
  expect(ofAlice.join()).toContain('MARK-OF-ALICE');
  expect(ofBob.join()).toContain('MARK-OF-BOB');
  for (const line of ofAlice) expect(line).not.toMatch(/NOT MINE|MARK-OF-BOB/);
  for (const line of ofBob) expect(line).not.toMatch(/NOT MINE|MARK-OF-ALICE/);
});

test('two windows of one user hear the same', async () => {
  const second = await alice.context().newPage();
  await second.goto(demo.url);
  await part(second, 'live-text').getByText('live', { exact: true }).waitFor();
  await draw(alice, 'MARK-IN-BOTH');
  await part(second, 'log')
    .getByText(/MARK-IN-BOTH/)
    .first()
    .waitFor();
  await second.close();
});

test('what a token of the same user made is there too, and the page showed none itself', async () => {
  const headers = { authorization: `Bearer ${demo.tokens.alice}`, 'content-type': 'application/json' };
  const body = JSON.stringify({
    canvas_id: 'made-by-a-program',
    session_id: 'made-by-a-program-chat',
    name: 'Made by a program',
    messages: [{ role: 'user', content: 'a cat' }],
  });
  expect((await fetch(`${demo.url}/api/canvas/create`, { method: 'POST', headers, body })).status).toBe(200);
  await alice.reload();
  expect(await canvasNames(alice)).toContain('Made by a program');
  expect(asked).toEqual([]);
});
