/** Every page of logging in and out, and the stand-in's own: whether people can use it, by day, by night, on a telephone. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, picture, type TestBrowser } from '../support/browser.ts';
import { type DemoProcess, startDemo } from '../support/demo-process.ts';
import { faultsOf } from '../support/page-faults.ts';
import { draw, logIn } from '../support/visit.ts';

let demo: DemoProcess;
let browser: TestBrowser;
let page: Page;
beforeAll(async () => {
  [demo, browser] = await Promise.all([startDemo(), openBrowser()]);
  page = await browser.open();
});
afterAll(async () => {
  await browser.close();
  await demo.stop();
});

test('a page with faults is seen to have them', async () => {
  const blank = await browser.open();
  await blank.setContent(`<h1>One</h1><h3>Three</h3><p style="color: #999; background: #fff">pale</p>
    <img src="data:,"><input><button tabindex="-1"></button><div style="width: 3000px">wide</div>`);
  const faults = (await faultsOf(blank)).join('\n');
  for (const what of [
    'does not say its language',
    'has no title',
    'does not fit small windows',
    'has no main part',
    'h3 "Three" comes below a heading of level 1',
    'p "pale" has a contrast of 2.85',
    'img "" has no alt',
    'input "" has no name',
    'button "" is not reached by keyboard',
    'wider than a window of 360',
  ])
    expect(faults).toContain(what);
});

test('the page of the provider', async () => {
  await page.goto(demo.url);
  await page.waitForURL(`${demo.providerUrl}/login/**`);
  expect(await faultsOf(page)).toEqual([]);
});

test('the page of the stand-in', async () => {
  await logIn(page, demo, 'Alice');
  await draw(page, 'Draw a cat');
  expect(await faultsOf(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture(page, 'page-alice-dark');
  await page.emulateMedia({ colorScheme: null });
});

test('the account page', async () => {
  await page.goto(`${demo.url}/auth/me`);
  expect(await faultsOf(page)).toEqual([]);
});

test('the pages of logging out, here and at the provider', async () => {
  await page.goto(`${demo.url}/auth/logout`);
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL(`${demo.providerUrl}/session/end?**`);
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL(`${demo.url}/auth/logged-out`);
  expect(await faultsOf(page)).toEqual([]);
});

test('the page of a login that failed', async () => {
  expect((await page.goto(`${demo.url}/auth/callback?state=nobody-began-this-one&code=x`))?.status()).toBe(400);
  expect(await faultsOf(page)).toEqual([]);
});
