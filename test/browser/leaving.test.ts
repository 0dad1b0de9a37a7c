/** How a login ends: by leaving here or at the provider, by an operator, and what the browser then still has. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { cookieNames, openBrowser, picture, type TestBrowser } from '../support/browser.ts';
import { type DemoProcess, startDemo } from '../support/demo-process.ts';
import { chooseAccount, draw, logIn, part } from '../support/visit.ts';

let demo: DemoProcess;
let browser: TestBrowser;
let page: Page;
beforeAll(async () => {
  [demo, browser] = await Promise.all([startDemo(), openBrowser()]);
});
beforeEach(async () => {
  page = await browser.open();
});
afterAll(async () => {
  await browser.close();
  await demo.stop();
});

const SESSION = '__Host-jaaz-session';

/** The product's own page keeps the lists of the last user like this (contract section 5). */
const KEEP = `new Promise((done, failed) => {
  localStorage.setItem('kept', 'of the last user');
  const opening = indexedDB.open('react-query-db', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('kept');
  opening.onerror = failed;
  opening.onsuccess = () => {
    const change = opening.result.transaction('kept', 'readwrite');
    change.objectStore('kept').put('canvases of the last user', 'react-query-cache');
    change.oncomplete = () => { opening.result.close(); done(); };
  };
})`;
const KEPT = `indexedDB.databases().then((all) => [localStorage.length, all.map(({ name }) => name)])`;

const leaveHere = async (): Promise<void> => {
  await page.getByRole('link', { name: 'Log out' }).click();
  await page.waitForURL(`${demo.url}/auth/logout`);
  await picture(page, 'logout');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL(`${demo.providerUrl}/session/end?**`);
};

const leaveThereToo = async (): Promise<void> => {
  await picture(page, 'provider-logout');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL(`${demo.url}/auth/logged-out`);
};

test('a logout ends the session, empties the browser, goes on to the provider and ends on a page that says so', async () => {
  await logIn(page, demo, 'Alice');
  await draw(page, 'SECRET OF ALICE');
  await page.evaluate(KEEP);
  expect(await page.evaluate(KEPT)).toEqual([1, ['react-query-db']]);
  const cookies = await page.context().cookies(demo.url);
  await leaveHere();
  expect(await cookieNames(page.context(), demo.url)).not.toContain(SESSION);
  await leaveThereToo();
  await picture(page, 'logged-out');
  expect(await page.evaluate(KEPT)).toEqual([0, []]);

  // The old cookie opens nothing, even where somebody had kept it.
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const answer = await fetch(`${demo.url}/api/canvas/list`, { headers: { cookie, 'sec-fetch-site': 'same-origin' } });
  expect(answer.status).toBe(401);
  await page.getByRole('link', { name: 'Log in again' }).click();
  await page.waitForURL(`${demo.providerUrl}/login/**`);
});

test('going back after a logout shows nothing of the user', async () => {
  await logIn(page, demo, 'Alice');
  await draw(page, 'SECRET OF ALICE');
  await leaveHere();
  await leaveThereToo();
  for (let steps = 0; steps < 6; steps += 1) {
    await page.goBack({ waitUntil: 'load' }).catch(() => undefined);
    expect(await page.locator('body').textContent()).not.toContain('SECRET OF ALICE');
  }
});

test('every window of the user stops, and does not log in again by itself', { timeout: 60_000 }, async () => {
  await logIn(page, demo, 'Alice');
  const other = await page.context().newPage();
  await other.goto(demo.url);
  await part(other, 'live-text').getByText('live', { exact: true }).waitFor();
  await leaveHere();
  await leaveThereToo();
  // Not in haste: failures are limited, and the page leaves for the login every ten seconds at most.
  const use = async () => {
    await other
      .getByRole('button', { name: 'Reload' })
      .click({ timeout: 1000 })
      .catch(() => undefined);
    return other.url();
  };
  await expect.poll(use, { timeout: 30_000, interval: 3000 }).toBe(`${demo.url}/auth/logged-out`);
});

test('whoever logs in next with the same browser finds nothing of the last one', async () => {
  await logIn(page, demo, 'Alice');
  await page.evaluate(KEEP);
  // Alice did not log out: her session ended, and so did the provider's.
  await page.context().clearCookies({ name: SESSION });
  await page.context().clearCookies({ domain: 'localhost' });
  await logIn(page, demo, 'Bob');
  expect(await page.evaluate(KEPT)).toEqual([0, []]);
});

test('the same user finds what the browser kept', async () => {
  await logIn(page, demo, 'Bob');
  await page.evaluate(KEEP);
  await page.context().clearCookies({ name: SESSION });
  await page.context().clearCookies({ domain: 'localhost' });
  await logIn(page, demo, 'Bob');
  expect(await page.evaluate(KEPT)).toEqual([1, ['react-query-db']]);
});

test('whoever stays at the provider is back without being asked', async () => {
  await logIn(page, demo, 'Alice');
  await leaveHere();
  await page.getByRole('button', { name: 'Stay logged in here' }).click();
  await page.waitForURL(`${demo.url}/auth/logged-out`);
  await page.getByRole('link', { name: 'Log in again' }).click();
  await page.getByText('You are alice').waitFor();
});

test('a revoked user is put out while connected: the page goes to the login by itself', async () => {
  const alice = await browser.open();
  await Promise.all([logIn(page, demo, 'Bob'), logIn(alice, demo, 'Alice')]);
  for (const one of [page, alice]) await part(one, 'live-text').getByText('live', { exact: true }).waitFor();
  // Or else the provider would let him in again at once, which is its right.
  await page.context().clearCookies({ domain: 'localhost' });
  await demo.revokeUser('demo|bob');
  await page.waitForURL(`${demo.providerUrl}/login/**`);
  expect(await part(alice, 'live-text').textContent()).toBe('live');
  await chooseAccount(page, demo, 'Bob');
});

test('a logout at the provider ends the session here, while the page is open', async () => {
  await logIn(page, demo, 'Alice');
  await part(page, 'live-text').getByText('live', { exact: true }).waitFor();
  const elsewhere = await page.context().newPage();
  await elsewhere.goto(`${demo.providerUrl}/session/end`);
  await elsewhere.getByRole('button', { name: 'Log out' }).click();
  await elsewhere.waitForURL(`${demo.providerUrl}/session/end/success`);
  await page.waitForURL(`${demo.providerUrl}/login/**`);
});
