/** Logging in with a real browser at a real provider, in front of the whole demonstration. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cookieNames, openBrowser, picture, type TestBrowser } from '../support/browser.ts';
import { type DemoProcess, startDemo } from '../support/demo-process.ts';
import { chooseAccount, logIn } from '../support/visit.ts';

let demo: DemoProcess;
let browser: TestBrowser;
beforeAll(async () => {
  [demo, browser] = await Promise.all([startDemo(), openBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await demo.stop();
});

const SESSION = '__Host-jaaz-session';
const loginPage = (page: Page) => page.waitForURL(`${demo.providerUrl}/login/**`);

test('who opens the page is asked by the provider, at once and with no page between', async () => {
  const page = await browser.open();
  const seen: string[] = [];
  page.on('response', (response) => {
    if (response.request().isNavigationRequest()) seen.push(`${response.status()} ${new URL(response.url()).pathname}`);
  });
  await page.goto(demo.url);
  await loginPage(page);
  expect(seen.slice(0, 3)).toEqual(['303 /', '303 /auth/login', '303 /auth']);
  await picture(page, 'provider-login');
});

test('the session is one cookie that no script reads, and no token is in the page', async () => {
  const page = await browser.open();
  await logIn(page, demo, 'Alice');
  const cookies = await page.context().cookies(demo.url);
  expect(cookies.find(({ name }) => name === SESSION)).toMatchObject({
    httpOnly: true,
    secure: true,
    sameSite: 'Lax',
    path: '/',
    value: expect.stringMatching(/^[\w-]{43}$/),
  });
  expect(cookies.filter(({ name }) => name.startsWith('__Host-jaaz-login-'))).toEqual([]);
  const kept = await page.evaluate('[document.cookie, localStorage.length, location.href]');
  expect(kept).toEqual(['', 0, `${demo.url}/`]);
});

test('a login comes back to the page that was asked for, with its query', async () => {
  const page = await browser.open();
  await page.goto(`${demo.url}/canvas/some-canvas?sessionId=some-chat`);
  await loginPage(page);
  await page.getByRole('button', { name: /^Alice/ }).click();
  await page.waitForURL(`${demo.url}/canvas/some-canvas?sessionId=some-chat`);
});

test.each(['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
  'a login does not lead to %s',
  async (foreign) => {
    const page = await browser.open();
    await page.goto(`${demo.url}/auth/login?return=${encodeURIComponent(foreign)}`);
    await chooseAccount(page, demo, 'Alice');
    expect(page.url()).toBe(`${demo.url}/`);
  },
);

test('two profiles are two users, and an administrator is one by the role', async () => {
  const [alice, bob, admin] = await Promise.all([browser.open(), browser.open(), browser.open()]);
  await Promise.all([logIn(alice, demo, 'Alice'), logIn(bob, demo, 'Bob'), logIn(admin, demo, 'Admin')]);
  await alice.goto(`${demo.url}/auth/me`);
  await picture(alice, 'account');
  await expect(alice.getByRole('definition').first().textContent()).resolves.toBe('alice');
  await bob.goto(`${demo.url}/auth/me`);
  await expect(bob.getByRole('definition').first().textContent()).resolves.toBe('bob');
  expect((await admin.goto(`${demo.url}/api/config`))?.status()).toBe(200);
  expect((await bob.goto(`${demo.url}/api/config`))?.status()).toBe(403);
});

test('what a page fetches is answered with 401, and nobody is sent away for it', async () => {
  const page = await browser.open();
  // Not a page of logging in: those let nothing be fetched.
  await page.goto(`${demo.url}/assets/style.css`);
  const answer = await page.evaluate(`fetch('/api/canvas/list').then(async (response) =>
    [response.status, response.redirected, (await response.json()).code])`);
  expect(answer).toEqual([401, false, 'token-missing']);
});

test('works without JavaScript, from the login to the logout', async () => {
  const page = await browser.open({ javaScriptEnabled: false });
  await page.goto(demo.url);
  await loginPage(page);
  await page.getByRole('button', { name: /^Bob/ }).click();
  await page.waitForURL(`${demo.url}/`);
  await page.goto(`${demo.url}/auth/me`);
  await expect(page.getByRole('definition').first().textContent()).resolves.toBe('bob');
  await page.goto(`${demo.url}/auth/logout`);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL(`${demo.providerUrl}/session/end?**`);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL(`${demo.url}/auth/logged-out`);
  expect(await cookieNames(page.context(), demo.url)).not.toContain(SESSION);
});

test('works with the keyboard alone, from the login to the logout', async () => {
  const page = await browser.open();
  await page.goto(demo.url);
  await loginPage(page);
  await press(page, 'Bob another user');
  await page.waitForURL(`${demo.url}/`);
  await page.getByText('You are bob').waitFor();
  await press(page, 'Log out');
  await page.waitForURL(`${demo.url}/auth/logout`);
  await press(page, 'Log out');
  await page.waitForURL(`${demo.providerUrl}/session/end?**`);
  await press(page, 'Log out');
  await page.waitForURL(`${demo.url}/auth/logged-out`);
});

/** Goes from control to control until the one of this name has the focus, and presses it. */
const press = async (page: Page, name: string): Promise<void> => {
  for (let steps = 0; steps < 30; steps += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(`document.activeElement?.textContent.trim() ?? ''`);
    if (focused === name) {
      await page.keyboard.press('Enter');
      return;
    }
  }
  throw new Error(`"${name}" is not reached by keyboard on ${page.url()}`);
};

test('who declines is told so on a page, with a way to start again', async () => {
  const page = await browser.open();
  await page.goto(demo.url);
  await loginPage(page);
  const answered = page.waitForResponse((response) => response.url().startsWith(`${demo.url}/auth/callback`));
  await page.getByRole('button', { name: 'Do not log in' }).click();
  expect((await answered).status()).toBe(403);
  await page.getByText('did not let you in').waitFor();
  await picture(page, 'error');
  await page.getByRole('link', { name: 'Start again' }).click();
  await loginPage(page);
});

test('an answer of the provider that is brought twice, or by another browser, logs nobody in', async () => {
  const [page, other] = await Promise.all([browser.open(), browser.open()]);
  const called = page.waitForRequest((request) => request.url().startsWith(`${demo.url}/auth/callback`));
  await logIn(page, demo, 'Alice');
  const callback = (await called).url();
  for (const one of [page, other]) expect((await one.goto(callback))?.status()).toBe(400);
  expect(await cookieNames(other.context(), demo.url)).not.toContain(SESSION);
});
