/** CWE-79: what a provider, a user or a link says becomes markup on a page of the gateway's own. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { SESSION_COOKIE } from '../../src/model/cookie.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { accountPage, chooserPage, refusalPage } from '../../src/server/login-pages.ts';
import { ALICE, ask, loginDoor, NAVIGATION, SESSION } from '../support/own-door.ts';

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' autofocus onfocus=alert(1) '",
  '</title><script>alert(1)</script>',
  '</style><script>alert(1)</script>',
  '<!--',
  '&lt;script&gt;',
  '${alert(1)}',
  '\u202egnp.exe',
];
const hostile = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary' }), fc.string());

/** What a parser would make of a page: its tags with the names of their attributes, without any text. */
const markup = (page: Buffer): string[] =>
  (page.toString().match(/<[^>]*>/g) ?? []).map((tag) => tag.replace(/"[^"]*"/g, '""'));

describe('whatever the texts are, the markup is that of harmless ones', () => {
  test('of a way that puts texts in as they are, one would see it', () => {
    const naive = (title: string) => Buffer.from(`<a href="/">${title}</a>`);
    expect(markup(naive('<script>'))).not.toEqual(markup(naive('x')));
  });

  test('in the choice of providers', () => {
    const plain = markup(chooserPage([{ name: 'a', title: 'b' }], '/'));
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, title, returnTo) => {
        expect(markup(chooserPage([{ name, title }], returnTo))).toEqual(plain);
      }),
    );
  });

  test('in the account', () => {
    const page = (text: string) =>
      accountPage({ ...ALICE, user: text, issuer: text, roles: [text, text], tenant: text, sessionId: text }, []);
    const plain = markup(page('x'));
    fc.assert(
      fc.property(
        hostile.filter((text) => text !== ''),
        (text) => {
          expect(markup(page(text))).toEqual(plain);
        },
      ),
    );
  });

  test('in a refusal', () => {
    const page = (text: string) => refusalPage({ title: text, sentence: text, requestId: text });
    const plain = markup(page('x'));
    fc.assert(
      fc.property(hostile, (text) => {
        expect(markup(page(text))).toEqual(plain);
      }),
    );
  });
});

describe('on the wire', () => {
  const doors: Array<Awaited<ReturnType<typeof loginDoor>>> = [];
  const open = async (...options: Parameters<typeof loginDoor>) => {
    const door = await loginDoor(...options);
    doors.push(door);
    return door;
  };
  afterAll(() => Promise.all(doors.map(({ close }) => close())));

  test.each(HOSTILE)('%s in a link is shown nowhere as it is', async (text) => {
    const providers = [
      { name: 'one', title: 'One' },
      { name: 'two', title: 'Two' },
    ];
    const { url } = await open({ providers });
    const got = await ask(`${url}/auth/login?return=${encodeURIComponent(text)}`, { headers: NAVIGATION });
    expect(got.status).toBe(200);
    expect(got.text).not.toContain('alert(1)>');
    expect(got.text).not.toContain('<script');
    const failed = await ask(
      `${url}/auth/callback?error=${encodeURIComponent(text)}&error_description=${encodeURIComponent(text)}`,
      {
        headers: NAVIGATION,
      },
    );
    expect(failed.status).toBe(400);
    expect(failed.text).not.toContain('alert');
  });

  test('what a provider says of an error is for the record alone', async () => {
    const finish = () => Promise.reject(new Rejection('login-denied', '<script>the provider said</script>'));
    const { url, records } = await open({ finish });
    const { text } = await ask(`${url}/auth/callback?error=access_denied`, { headers: NAVIGATION });
    expect(text).toContain('The login service did not let you in.');
    expect(text).not.toContain('provider said');
    expect(records[0]?.detail).toContain('provider said');
  });

  test('even if a script got in, it would not run: the page allows none', async () => {
    const { url } = await open();
    const headers = { ...NAVIGATION, cookie: `${SESSION_COOKIE}=${SESSION}` };
    const { headers: told } = await ask(`${url}/auth/me`, { headers });
    const policy = String(told['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/script-src|unsafe|data:|\*/);
    expect(policy).toContain("form-action 'self'");
    expect(policy).toContain("base-uri 'none'");
  });
});
