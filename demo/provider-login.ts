/** Where the demonstration's provider asks who somebody is: one page, and one form that comes back. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { accountOf, DEMO_ACCOUNTS } from './provider-accounts.ts';
import { errorPage, loginPage, PAGE_HEADERS } from './provider-pages.ts';

/** Followed by the name of the interaction, to whose path its cookie is bound. */
export const LOGIN_PATH = '/login/';

const MAX_FORM = 1024;

/** Returns what answers below `LOGIN_PATH`. It rejects only with what nobody foresaw. */
export function loginPages(provider: Provider) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const interaction = await provider.interactionDetails(request, response).catch(() => undefined);
    if (interaction === undefined || request.url !== `${LOGIN_PATH}${interaction.uid}`) {
      show(response, 400, errorPage('This login is over, or it was begun in another browser.'));
    } else if (interaction.prompt.name === 'consent') {
      await provider.interactionFinished(request, response, { consent: {} });
    } else if (request.method === 'POST') {
      await finish(provider, request, response);
    } else if (request.method === 'GET') {
      show(response, 200, loginPage(DEMO_ACCOUNTS, request.url));
    } else {
      show(response, 405, errorPage('This page is for looking at, and for its form.'));
    }
  };
}

async function finish(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const user = (await formOf(request))?.get('user') ?? undefined;
  if (user === '') {
    const declined = { error: 'access_denied', error_description: 'Nobody logged in.' };
    await provider.interactionFinished(request, response, declined);
    return;
  }
  if (accountOf(user) === undefined || user === undefined) {
    show(response, 400, errorPage('There is no such account.'));
    return;
  }
  await provider.interactionFinished(request, response, { login: { accountId: user } });
}

/** Resolves with the fields of a form, undefined where it is none or too long. */
async function formOf(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  if (!/^application\/x-www-form-urlencoded *(;|$)/.test(request.headers['content-type'] ?? '')) return undefined;
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MAX_FORM) return undefined;
  }
  return new URLSearchParams(text);
}

function show(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, PAGE_HEADERS).end(html);
}
