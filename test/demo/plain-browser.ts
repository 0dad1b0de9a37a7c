/** As much of a browser as a page without scripts needs: cookies, redirects and forms. It is no browser that says so. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';

export interface PlainBrowser {
  /** Opens an address; resolves with the page, or with the address of the other site where it leads to that. */
  open(url: string): Promise<string>;
  /** Sends the only form of the page with the button of this name and value, or with none; resolves as `open` does. */
  press(name?: string, value?: string): Promise<string>;
  /** Where it is. */
  at(): string;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

const HOPS = 10;

/** Returns a browser that goes no further than to the site `stop`. */
export function plainBrowser(stop: string): PlainBrowser {
  const cookies = new Map<string, Cookie>();
  let place = '';
  let page = '';

  const cookiesFor = (path: string): string =>
    [...cookies.values()]
      .filter((cookie) => path.startsWith(cookie.path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  const keep = (line: string): void => {
    const [pair = '', ...attributes] = line.split('; ');
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    const path = attributes.find((one) => /^path=/i.test(one))?.slice('path='.length) ?? '/';
    cookies.set(`${name};${path}`, { name, value, path });
    if (value === '') cookies.delete(`${name};${path}`);
  };
  const go = async (url: string, form?: URLSearchParams): Promise<string> => {
    let next = { url, form };
    for (let hop = 0; hop < HOPS; hop += 1) {
      if (next.url.startsWith(stop)) return next.url;
      const response = await send(next.url, cookiesFor(new URL(next.url).pathname), next.form);
      for (const line of response.headers['set-cookie'] ?? []) keep(line);
      const { location } = response.headers;
      const text = (await response.toArray()).join('');
      if (location === undefined) {
        place = next.url;
        page = text;
        return page;
      }
      next = { url: new URL(location, next.url).href, form: undefined };
    }
    throw new Error(`more than ${HOPS} redirects from ${url}`);
  };

  return {
    open: (url) => go(url),
    press(name, value) {
      const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1] ?? '';
      const hidden = page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g);
      const form = new URLSearchParams(Array.from(hidden, ([, field = '', text = '']) => [field, text]));
      if (name !== undefined) form.set(name, value ?? '');
      return go(new URL(action.replaceAll('&amp;', '&'), place).href, form);
    },
    at: () => place,
  };
}

/** Not by fetch, which says of itself that it is no navigation. */
async function send(url: string, cookie: string, form: URLSearchParams | undefined): Promise<IncomingMessage> {
  const headers = { cookie, accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' };
  const { 'content-type': _type, ...withoutForm } = headers;
  const request = httpRequest(url, form === undefined ? { headers: withoutForm } : { method: 'POST', headers });
  request.end(form?.toString());
  const [response] = await once(request, 'response');
  return response;
}
