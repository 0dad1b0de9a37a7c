/** A browser as far as a login needs one: cookies, navigation, redirects followed by hand, no scripts. */
import { request } from 'node:http';

export interface BrowserAnswer {
  readonly url: string;
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly setCookies: readonly string[];
  readonly text: string;
}

export interface BrowserAsked {
  readonly method?: 'GET' | 'POST';
  /** Sent as application/x-www-form-urlencoded. */
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Browser {
  /** Sends one request as a navigation does, and keeps the cookies that are set. */
  open(url: string, asked?: BrowserAsked): Promise<BrowserAnswer>;
  /** Returns the Cookie header for a place; empty where there is none. */
  cookies(url: string): string;
  /** Sets or, without a value, removes a cookie. */
  setCookie(url: string, name: string, value: string | undefined): void;
}

export interface Walk {
  /** Who logs in at the provider of test/support/oidc-provider.ts. */
  readonly user: string;
  readonly browser?: Browser;
  /** Walks on until a place for which this is true, and does not open it. */
  readonly until?: (url: URL) => boolean;
}

/** Where the test's provider asks who one is. */
const INTERACTION = /^\/interaction\/[^/]+$/;
const MAX_STEPS = 15;

const isRemoval = (attributes: string): boolean =>
  /;\s*max-age=0/i.test(attributes) || /expires=[^;]*1970/i.test(attributes);

/** Returns a browser without cookies. Those of one host and port are shown there only. */
export const newBrowser = (): Browser => {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: string): Map<string, string> => {
    const { host } = new URL(url);
    const jar = jars.get(host) ?? new Map<string, string>();
    jars.set(host, jar);
    return jar;
  };
  const keep = (url: string, line: string): void => {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (name === undefined || value === undefined) return;
    if (isRemoval(line)) jarOf(url).delete(name);
    else jarOf(url).set(name, value);
  };
  const cookies = (url: string): string => [...jarOf(url)].map(([name, value]) => `${name}=${value}`).join('; ');

  return {
    cookies,
    setCookie(url, name, value) {
      if (value === undefined) jarOf(url).delete(name);
      else jarOf(url).set(name, value);
    },
    async open(url, { method = 'GET', form, headers = {} } = {}) {
      const cookie = cookies(url);
      const body = form === undefined ? undefined : new URLSearchParams(form).toString();
      const answer = await send(url, body, {
        method,
        headers: {
          accept: 'text/html,application/xhtml+xml',
          'sec-fetch-site': method === 'GET' ? 'none' : 'same-origin',
          'sec-fetch-mode': 'navigate',
          'sec-fetch-dest': 'document',
          ...(cookie === '' ? {} : { cookie }),
          ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
          ...headers,
        },
      });
      for (const line of answer.setCookies) keep(url, line);
      return answer;
    },
  };
};

interface Sent {
  readonly method: string;
  readonly headers: Record<string, string>;
}

const send = (url: string, body: string | undefined, options: Sent): Promise<BrowserAnswer> =>
  new Promise((resolve, reject) => {
    const sending = request(url, { ...options, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const names = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]);
        resolve({
          url,
          status: response.statusCode ?? 0,
          headers: new Map(names),
          setCookies: response.headers['set-cookie'] ?? [],
          text: Buffer.concat(chunks).toString(),
        });
      });
    });
    sending.on('error', reject);
    sending.end(body);
  });

/** Opens a place and follows its redirects, logging in where the provider asks; resolves with the place that was not opened, or with the last answer. */
export const walk = async (
  start: string,
  { user, browser = newBrowser(), until = () => false }: Walk,
): Promise<{ readonly url: URL; readonly answer: BrowserAnswer | undefined }> => {
  let url = new URL(start);
  let answer: BrowserAnswer | undefined;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    if (until(url)) return { url, answer };
    if (INTERACTION.test(url.pathname)) url.searchParams.set('user', user);
    answer = await browser.open(url.href);
    const location = answer.headers.get('location');
    if (location === undefined) return { url, answer };
    url = new URL(location, url);
  }
  throw new Error(`the redirects do not end: ${url}`);
};

export interface LogInOptions {
  readonly browser?: Browser;
  /** Where the login begins: the page that needs one, or `/auth/login?provider=…`. */
  readonly path?: string;
}

/** Logs in at a gateway; resolves with the Cookie header that the browser shows there from now on, and the page it came to. */
export const logIn = async (
  gatewayUrl: string,
  user: string,
  { browser = newBrowser(), path = '/auth/login' }: LogInOptions = {},
): Promise<{ readonly cookie: string; readonly answer: BrowserAnswer }> => {
  const { answer } = await walk(new URL(path, gatewayUrl).href, { user, browser });
  if (answer === undefined) throw new Error('nothing was opened');
  return { cookie: browser.cookies(gatewayUrl), answer };
};
