/** Debian's Chromium, driven by Playwright: what people do with a page, in profiles that know nothing of one another. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

export interface TestBrowser {
  /** Opens a page in a new profile. */
  open(options?: BrowserContextOptions): Promise<Page>;
  close(): Promise<void>;
}

/** Where pictures of pages are put for people to look at; none are taken unless it is given. */
const PICTURES = process.env.BROWSER_PICTURES;

/** How long a page may take to come to what a test waits for. */
const WAIT_MILLIS = 10_000;

const QUIET = [
  ...['--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update', '--no-default-browser-check'],
];

/** Starts the browser; `close` ends it with all its profiles. */
export const openBrowser = async (): Promise<TestBrowser> => {
  // Chromium's own sandbox does not run as root; what it loads here is ours.
  const browser = await chromium.launch({ executablePath: onPath('chromium'), args: QUIET, chromiumSandbox: false });
  return {
    async open(options) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      context.setDefaultTimeout(WAIT_MILLIS);
      return context.newPage();
    },
    close: () => browser.close(),
  };
};

/** Keeps a picture of a page where somebody wants to look at it. */
export const picture = async (page: Page, name: string): Promise<void> => {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
};

/** Returns the names of the cookies that a profile holds for an address. */
export const cookieNames = async (context: BrowserContext, url: string): Promise<readonly string[]> =>
  (await context.cookies(url)).map(({ name }) => name);

export const onPath = (program: string): string => {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  throw new Error(`${program} is not installed: npm test sees to it`);
};
