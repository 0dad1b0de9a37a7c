/** A session that ends by itself while its page is open: unused for too long, or too old however much it is used. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openBrowser, type TestBrowser } from '../support/browser.ts';
import { type LoginWorld, startLoginWorld } from '../support/login-world.ts';
import { logIn, part } from '../support/visit.ts';

let browser: TestBrowser;
let world: LoginWorld | undefined;
beforeAll(async () => {
  browser = await openBrowser();
});
afterEach(async () => {
  await world?.close();
  world = undefined;
});
afterAll(() => browser.close());

/** Logs in, and has the provider forget it: who comes back to it is asked. */
const visit = async (place: LoginWorld): Promise<Page> => {
  const page = await browser.open();
  await logIn(page, place, 'Alice');
  await part(page, 'live-text').getByText('live', { exact: true }).waitFor();
  await page.context().clearCookies({ domain: 'localhost' });
  return page;
};

test('a page that nobody uses goes to the login when its session is over', async () => {
  world = await startLoginWorld({ idleMillis: 4_000 });
  const page = await visit(world);
  await page.waitForURL(`${world.providerUrl}/login/**`, { timeout: 20_000 });
  expect(world.faults).toEqual([]);
});

test('a page that is used stays, until the session is too old', async () => {
  world = await startLoginWorld({ idleMillis: 3_000, lifetimeMillis: 9_000 });
  const begun = performance.now();
  const page = await visit(world);
  const { providerUrl } = world;
  await expect
    .poll(
      async () => {
        await page
          .getByRole('button', { name: 'Reload' })
          .click({ timeout: 1_000 })
          .catch(() => undefined);
        return page.url().startsWith(`${providerUrl}/login/`);
      },
      { timeout: 25_000, interval: 500 },
    )
    .toBe(true);
  // More than twice the time for which it may be unused.
  expect(performance.now() - begun).toBeGreaterThan(7_000);
});
