/** What a person does with the demonstration's page: logs in, draws, looks, hears. */
import type { Locator, Page } from 'playwright-core';
import { eventually } from './eventually.ts';

/** What of the demonstration a visitor knows. */
export interface Place {
  readonly url: string;
  readonly providerUrl: string;
}

export const part = (page: Page, name: string): Locator => page.locator(`[data-part="${name}"]`);

/** Opens the page and logs in at the provider, whose page it is sent to. */
export const logIn = async (page: Page, place: Place, name: string): Promise<void> => {
  await page.goto(`${place.url}/`);
  await chooseAccount(page, place, name);
};

/** On the provider's page: chooses who to be; ends on the page that was asked for. */
export const chooseAccount = async (page: Page, { url, providerUrl }: Place, name: string): Promise<void> => {
  await page.waitForURL(`${providerUrl}/login/**`);
  await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
  await page.waitForURL(`${url}/`);
  await page.getByText(`You are ${name.toLowerCase()}`).waitFor();
};

/** Makes a canvas by chat, waits until the agent is done and its picture is shown; returns the canvas's id. */
export const draw = async (page: Page, prompt: string): Promise<string> => {
  await part(page, 'live-text').getByText('live', { exact: true }).waitFor();
  await page.getByLabel('Prompt for a new canvas').fill(prompt);
  await page.getByRole('button', { name: 'New canvas' }).click();
  await part(page, 'log').getByText(/^done/).last().waitFor();
  await part(page, 'board').getByRole('img').first().waitFor();
  await eventually(async () => (await pictureWidths(page)).every((width) => width > 0));
  return (await part(page, 'board-id').textContent()) ?? '';
};

/** The widths in pixels of all pictures of the page, as they came; 0 is one that did not load. */
export const pictureWidths = (page: Page): Promise<number[]> =>
  page.evaluate('Array.from(document.images, (image) => image.naturalWidth)');

/** The names of the canvases in the list, once it is there. */
export const canvasNames = async (page: Page): Promise<string[]> => {
  await part(page, 'canvases').getByRole('listitem').first().waitFor();
  return part(page, 'canvases').locator('.text > span:first-child').allTextContents();
};

/** What the page has heard live, one line an event. */
export const heard = (page: Page): Promise<string[]> => part(page, 'log').getByRole('listitem').allTextContents();
