/** Whether people can use a page: names, headings, keyboard, contrast by day and by night, and small windows. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

/** Runs inside the page, where these types are not known. */
const PROGRAM = readFileSync(new URL('page-faults.js', import.meta.url), 'utf8').replace('export function', 'function');

const WINDOWS = [
  { width: 1280, height: 800 },
  { width: 360, height: 640 },
];

/** Resolves with what is wrong with the page that is open; nothing when all is well. */
export const faultsOf = async (page: Page): Promise<readonly string[]> => {
  const found = new Set<string>();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const faults: string[] = await page.evaluate(`${PROGRAM}; pageFaults()`);
    for (const fault of faults) found.add(`${colorScheme}: ${fault}`);
  }
  await page.emulateMedia({ colorScheme: null });
  const before = page.viewportSize();
  for (const size of WINDOWS) {
    await page.setViewportSize(size);
    const over: number = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    if (over > 0) found.add(`the page is ${over} pixels wider than a window of ${size.width}`);
  }
  if (before !== null) await page.setViewportSize(before);
  return [...found];
};
