/**
 * The pages of logging in: plain HTML that needs no script, loads nothing and shows in no frame. What is not written here
 * is escaped, and stands in a place where nothing but text is read.
 */
import { hash } from 'node:crypto';
import type { LoginProvider } from '../model/login.ts';
import { LOGIN_PATHS } from '../model/login.ts';
import type { Principal } from '../model/principal.ts';

interface Html {
  readonly html: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');

/** Texts are escaped; an attribute that holds one is written in double quotes. */
const html = (parts: TemplateStringsArray, ...values: ReadonlyArray<string | Html | readonly Html[]>): Html => {
  const written = values.map((value) => {
    if (typeof value === 'string') return escaped(value);
    return 'html' in value ? value.html : value.map((each) => each.html).join('');
  });
  return { html: parts.map((part, index) => part + (written[index] ?? '')).join('') };
};

const NOTHING: Html = { html: '' };

/** Contrasts are 7 to 1 and more, in the light and in the dark; what has the focus has a frame. */
const STYLE = `:root{color-scheme:light dark;--ink:#1b1b1f;--paper:#fff;--quiet:#44464f;--act:#0b4aa2;--on:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#ececf1;--paper:#1b1b1f;--quiet:#c5c6d0;--act:#b3cdff;--on:#10213f}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1.0625rem/1.5 system-ui,sans-serif}
main{max-width:28rem;margin:0 auto;padding:12vh 1.25rem 3rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 1rem}
p{margin:0 0 1rem}
ul{list-style:none;margin:0;padding:0}
li{margin:0 0 .75rem}
a{color:var(--act)}
a.act,button{display:block;width:100%;padding:.75rem 1rem;border:0;border-radius:.5rem;background:var(--act);color:var(--on);font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer;overflow-wrap:anywhere}
:focus-visible{outline:3px solid var(--ink);outline-offset:3px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:0 0 1.5rem}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere}
form{margin:0 0 1.5rem}
.quiet{color:var(--quiet);font-size:.9375rem;overflow-wrap:anywhere}
`;

const STYLE_HASH = hash('sha256', STYLE, 'base64');

/**
 * Returns the headers of a page, names in lower case and values alternating. `formTargets`: where a form may lead besides
 * here; browsers hold the redirects after it against that too.
 */
export const pageHeaders = (formTargets: readonly string[] = []): string[] => [
  ...['content-type', 'text/html; charset=utf-8'],
  ...['cache-control', 'no-store'],
  'content-security-policy',
  [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    ["form-action 'self'", ...formTargets].join(' '),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  ...['x-frame-options', 'DENY'],
  // With `no-referrer` a form of ours would come without its Origin, by which an older browser is known.
  ...['referrer-policy', 'same-origin'],
  ...['cross-origin-resource-policy', 'same-origin'],
];

const page = (title: string, content: Html): Buffer =>
  Buffer.from(
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<style>${{ html: STYLE }}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`.html,
  );

/** Returns the way to log in: with a provider or by whichever there is, and back to a path of this host. */
export const loginLink = (returnTo: string | undefined, provider?: string): string => {
  const query = new URLSearchParams();
  if (provider !== undefined) query.set('provider', provider);
  if (returnTo !== undefined) query.set('return', returnTo);
  return query.size === 0 ? LOGIN_PATHS.login : `${LOGIN_PATHS.login}?${query}`;
};

export const chooserPage = (providers: readonly LoginProvider[], returnTo: string | undefined): Buffer => {
  const rows = providers.map(
    ({ name, title }) =>
      html`<li><a class="act" href="${loginLink(returnTo, name)}">Log in with <bdi>${title}</bdi></a></li>\n`,
  );
  return page('Log in', html`<p>Where do you have your account?</p>\n<ul>\n${rows}</ul>`);
};

const logOutForm = html`<form method="post" action="${LOGIN_PATHS.logout}"><button type="submit">Log out</button></form>`;
const startPage = html`<p><a href="/">Go to the start page</a></p>`;

const row = (name: string, value: string | undefined): Html =>
  value === undefined || value === '' ? NOTHING : html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>\n`;

/** Such as `2026-11-26 09:30 UTC`. */
const moment = (millis: number): string => `${new Date(millis).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** `providers`: by whose title the issuer is shown, where it is one of them. */
export const accountPage = (principal: Principal, providers: readonly LoginProvider[]): Buffer => {
  const { user, issuer, roles, tenant, issuedAtMillis, sessionId } = principal;
  const account = providers.find(({ name }) => name === issuer)?.title ?? issuer;
  const since = sessionId === undefined || issuedAtMillis === undefined ? undefined : moment(issuedAtMillis);
  const rows = [
    row('User', user),
    row('Account of', account),
    row('Organisation', tenant),
    row('Roles', roles.join(', ')),
    row('Logged in', since),
    row('Session', sessionId),
  ];
  // Whoever shows a token has nothing here that could be ended.
  const end = sessionId === undefined ? NOTHING : logOutForm;
  return page('Your account', html`<dl>\n${rows}</dl>\n${end}\n${startPage}`);
};

export const logOutPage = (): Buffer =>
  page(
    'Log out?',
    html`<p>What this browser keeps of your work here is removed, and the windows that are open stop working.</p>
${logOutForm}
${startPage}`,
  );

export const loggedOutPage = (): Buffer =>
  page(
    'You are logged out',
    html`<p>To go on with your work, log in again.</p>
<p><a class="act" href="${loginLink(undefined)}">Log in again</a></p>`,
  );

interface RefusalShown {
  readonly title: string;
  /** The public sentence. */
  readonly sentence: string;
  readonly requestId: string | undefined;
}

export const refusalPage = ({ title, sentence, requestId }: RefusalShown): Buffer => {
  const id = requestId === undefined ? NOTHING : html`<p class="quiet">Request: ${requestId}</p>\n`;
  return page(
    title,
    html`<p>${sentence}</p>
<p><a class="act" href="${loginLink(undefined)}">Start again</a></p>
${id}${startPage}`,
  );
};
