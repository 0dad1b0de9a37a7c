import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cookieIn, loginCookie, SESSION_COOKIE, setCookie } from '../../src/model/cookie.ts';

describe('a cookie', () => {
  test.each([
    ['__Host-jaaz-session=v', 'v'],
    ['a=1; __Host-jaaz-session=v; b=2', 'v'],
    ['a=1;__Host-jaaz-session=v', 'v'],
    ['  __Host-jaaz-session = v ', 'v'],
    ['__Host-jaaz-session=a=b', 'a=b'],
  ])('is found in %j', (header, value) => {
    expect(cookieIn(header, SESSION_COOKIE)).toBe(value);
  });

  test.each([
    undefined,
    '',
    '__Host-jaaz-session=',
    '__Host-jaaz-session',
    'x__Host-jaaz-session=v',
    '__Host-jaaz-sessionx=v',
    '__host-jaaz-session=v',
    'a=__Host-jaaz-session=v',
    '\u00a0__Host-jaaz-session=v',
    '__Host-jaaz-session\u00a0=v',
    '\u000b__Host-jaaz-session=v',
  ])('is not found in %j', (header) => {
    expect(cookieIn(header, SESSION_COOKIE)).toBeUndefined();
  });

  test('of which there are two is none: which of them was set here nobody can tell', () => {
    expect(cookieIn('__Host-jaaz-session=mine; __Host-jaaz-session=planted', SESSION_COOKIE)).toBeUndefined();
    expect(cookieIn('__Host-jaaz-session=; __Host-jaaz-session=planted', SESSION_COOKIE)).toBeUndefined();
    expect(cookieIn('__Host-jaaz-session=v; __Host-jaaz-session=v', SESSION_COOKIE)).toBeUndefined();
  });

  test('is not spoilt by one that is nearly of its name', () => {
    const header = '__Host-jaaz-session=mine; \u00a0__Host-jaaz-session=planted';
    expect(cookieIn(header, SESSION_COOKIE)).toBe('mine');
    // The byte is no blank in a value either.
    expect(cookieIn('__Host-jaaz-session=v\u00a0', SESSION_COOKIE)).toBe('v\u00a0');
  });

  test('of any text is found or not, and nothing breaks', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const found = cookieIn(header, 'n');
        expect(found === undefined || header.includes(found)).toBe(true);
      }),
    );
  });

  test('is set for this host alone, unseen by scripts, and not sent by other sites', () => {
    expect(setCookie(SESSION_COOKIE, 'v', { maxAgeSeconds: 60 })).toBe(
      '__Host-jaaz-session=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60',
    );
    expect(setCookie('n', 'v', { maxAgeSeconds: undefined })).toBe('n=v; Path=/; Secure; HttpOnly; SameSite=Lax');
  });

  test('of a login is named after its state, so that several can be under way', () => {
    expect(loginCookie('0123456789abcdefXYZ')).toBe('__Host-jaaz-login-0123456789abcdef');
  });
});
