/** The page to come back to: whatever is asked for, it is one of this host. The table is in test/attack/login-open-redirect. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { returnPath } from '../../../src/authn/login/return.ts';

const origins = ['https://jaaz.example.com', 'http://localhost:8080'];

/** As a browser reads a Location header: relative to where it is, with its own parser. */
const staysHere = (asked: string | undefined): void => {
  const path = returnPath(asked);
  for (const origin of origins) {
    const url = new URL(path, `${origin}/auth/callback?code=c`);
    expect(url.origin).toBe(origin);
    expect(url.pathname.startsWith('//')).toBe(false);
    // As a reader sees it who undoes escapes, well-formed or not.
    const plain = unescape(url.pathname);
    expect(plain).not.toMatch(/^\/auth(\/|$)/i);
    expect(plain).not.toMatch(/^\/[/\\]/);
  }
  expect(path).toMatch(/^\/(?![/\\])[!-~]*$/);
  expect(path.length).toBeLessThanOrEqual(2000);
  // Asked for again, it is what it was: a second login leads to the same page.
  expect(returnPath(path)).toBe(path);
};

const tricky = fc
  .array(
    fc.constantFrom(
      ...[
        '/',
        '\\',
        '.',
        '..',
        '%2e',
        '%2f',
        '%5c',
        '%09',
        '\t',
        '\n',
        '\r',
        ' ',
        '@',
        ':',
        '?',
        '#',
        '%',
        'auth',
        'AUTH',
      ],
      ...[
        'evil.example',
        'https:',
        'javascript:',
        '\u0000',
        '\u00a0',
        '\u2028',
        '\ud800',
        '／',
        '。',
        'ä',
        '%c3%a4',
        '&',
        '"',
      ],
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

test('whatever is asked for, it is a path of this host', () => {
  fc.assert(fc.property(fc.oneof(tricky, fc.string({ unit: 'binary' }), fc.webUrl()), staysHere), { numRuns: 5000 });
});

test('nor is it another host behind a slash', () => {
  fc.assert(
    fc.property(tricky, (text) => staysHere(`/${text}`)),
    { numRuns: 5000 },
  );
});

test('a path of the page that was asked for comes back as it was', () => {
  const segment = fc.stringMatching(/^[a-z0-9_-]{1,10}$/).filter((text) => text !== 'auth');
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (segments) => {
      const path = `/${segments.join('/')}?a=b`;
      expect(returnPath(path)).toBe(path);
    }),
  );
});

test('nothing that was asked for is the first page', () => {
  expect(returnPath(undefined)).toBe('/');
  staysHere(undefined);
});
