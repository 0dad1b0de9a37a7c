/** The pages of the demonstration's provider: plain HTML that needs no script, by day and by night. */
import type { DemoAccount } from './provider-accounts.ts';

/** Sent with each page. A form may go anywhere: browsers hold the redirects behind it against the same list. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1c2430, #e6e9ee); --soft: light-dark(#4d5866, #a9b3c0);
  --paper: light-dark(#f4f5f7, #14181e); --card: light-dark(#fff, #1d232b); --field: light-dark(#8691a0, #6d7886);
  --accent: light-dark(#1f5fa8, #8abcf2); --on-accent: light-dark(#fff, #10202f);
  --warn-back: light-dark(#fff4d6, #3a3013); --warn-ink: light-dark(#5c4300, #f3dc9a); }
* { box-sizing: border-box; }
body { margin: 0; padding: 8vh 20px 20px; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 26rem; margin: 0 auto; padding: 24px 28px; border: 1px solid var(--field); border-radius: 12px;
  background: var(--card); }
h1 { margin: 0 0 12px; font-size: 1.4rem; }
p { margin: 0 0 16px; }
.note { padding: 10px 12px; border-radius: 8px; background: var(--warn-back); color: var(--warn-ink); }
form, .buttons { display: grid; gap: 10px; margin: 0; }
fieldset { display: grid; gap: 10px; margin: 0 0 6px; padding: 0; border: 0; }
legend { margin-bottom: 8px; padding: 0; font-weight: 600; }
button { min-height: 44px; padding: 8px 14px; border: 1px solid var(--accent); border-radius: 8px;
  background: var(--accent); color: var(--on-accent); font: inherit; cursor: pointer; }
button.choice { display: flex; justify-content: space-between; gap: 12px; text-align: left; }
button.quiet { background: transparent; color: var(--accent); }
:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
.small { margin: 16px 0 0; color: var(--soft); font-size: 0.875rem; }
`;

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – demonstration provider</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;

const NOTE = `<p class="note"><strong>This is a demonstration.</strong> There are no passwords: whoever reaches this page
can be anybody. It is no part of the gateway; in earnest your own provider stands here.</p>`;

/** Returns the page on which somebody chooses who to be. */
export const loginPage = (accounts: readonly DemoAccount[], action: string): string =>
  page(
    'Log in',
    `${NOTE}
<form method="post" action="${escaped(action)}">
<fieldset><legend>Who do you want to be?</legend>
${accounts.map(choice).join('\n')}
</fieldset>
<button class="quiet" name="user" value="">Do not log in</button>
</form>`,
  );

const choice = ({ user, name, about }: DemoAccount): string =>
  `<button class="choice" name="user" value="${escaped(user)}"><span>${escaped(name)}</span> <span>${escaped(about)}</span></button>`;

/** Returns the page that asks whether to log out here too; `form` is the provider's own, without a button. */
export const logoutPage = (name: string, form: string): string =>
  page(
    'Log out here too?',
    `<p>You are still logged in here as <strong>${escaped(name)}</strong>. If you stay, you get back in without being asked.</p>
${form}
<div class="buttons">
<button form="op.logoutForm" name="logout" value="yes">Log out</button>
<button class="quiet" form="op.logoutForm">Stay logged in here</button>
</div>`,
  );

/** Returns the page behind a logout that came from nowhere. */
export const loggedOutPage = (): string => page('Logged out', '<p>You are logged out here.</p>');

/** Returns the page that says what went wrong. */
export const errorPage = (message: string): string =>
  page(
    'That did not work',
    `<p>${escaped(message)}</p>
<p class="small">Go back to the page that you came from and start again.</p>`,
  );

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
