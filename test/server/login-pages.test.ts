import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  accountPage,
  chooserPage,
  loggedOutPage,
  loginLink,
  logOutPage,
  pageHeaders,
  refusalPage,
} from '../../src/server/login-pages.ts';
import { principalOf } from '../support/stages.ts';

const ALICE = {
  ...principalOf('alice', ['artist', 'admin']),
  tenant: 'studio',
  sessionId: 'a-session-id',
  issuedAtMillis: Date.UTC(2026, 10, 26, 9, 30),
};
const providers = [
  { name: 'test', title: 'The Test' },
  { name: 'other', title: 'Another' },
];
const pages = new Map([
  ['the choice', chooserPage(providers, '/canvas/a')],
  ['the account', accountPage(ALICE, providers)],
  ['logging out', logOutPage()],
  ['logged out', loggedOutPage()],
  ['a refusal', refusalPage({ title: 'Forbidden', sentence: 'Not you.', requestId: 'an-id' })],
]);
const header = (name: string, headers = pageHeaders()): string => headers[headers.indexOf(name) + 1] ?? '';

describe.each([...pages])('the page of %s', (_name, page) => {
  const text = page.toString();

  test('says its language, its title and its one heading', () => {
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(text).toMatch(/<meta charset="utf-8">/);
    const [, title] = /<title>(.+)<\/title>/.exec(text) ?? [];
    expect(text.match(/<h1>.*?<\/h1>/g)).toEqual([`<h1>${title}</h1>`]);
    expect(text.match(/<main>/g)).toHaveLength(1);
  });

  test('needs no script and loads nothing', () => {
    expect(text).not.toMatch(/<(?:script|link|img|iframe|object|embed|base)\b|\son[a-z]+=|javascript:|url\(|@import/i);
    expect(text).not.toMatch(/\sstyle=/);
  });

  test('can be used by keyboard alone: what acts is a link or a button, and shows that it has the focus', () => {
    expect(text).not.toMatch(/tabindex|autofocus|outline:\s*(?:0|none)/);
    expect(text).toContain(':focus-visible{outline:3px');
    for (const [tag] of text.matchAll(/<a\b[^>]*>/g)) expect(tag).toMatch(/href="\/[^"]*"/);
    for (const [, label] of text.matchAll(/<button[^>]*>(.*?)<\/button>/g)) expect(label).not.toBe('');
  });

  test('has one style, which the policy of its answer knows', () => {
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(text) ?? [];
    expect(header('content-security-policy')).toContain(`style-src 'sha256-${hash('sha256', style, 'base64')}'`);
  });
});

/** Relative luminance and contrast as WCAG 2.2 defines them. */
const luminance = (colour: string): number => {
  const full = colour.length === 4 ? colour.replace(/[0-9a-f]/g, '$&$&') : colour;
  const [red = 0, green = 0, blue = 0] = (full.match(/[0-9a-f]{2}/g) ?? []).map((digits) => {
    const part = Number.parseInt(digits, 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const contrast = (one: string, other: string): number => {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};

test('texts, links and buttons have a contrast of 7 and more, in the light and in the dark', () => {
  const schemes = [
    ...loggedOutPage()
      .toString()
      .matchAll(/:root\{([^}]*)\}/g),
  ].map(([, rules = '']) =>
    Object.fromEntries([...rules.matchAll(/--([a-z]+):(#[0-9a-f]+)/g)].map(([, name, colour]) => [name, colour])),
  );
  expect(schemes).toHaveLength(2);
  for (const { ink = '', paper = '', quiet = '', act = '', on = '' } of schemes) {
    for (const [one, other] of [
      [ink, paper],
      [quiet, paper],
      [act, paper],
      [on, act],
    ] as const) {
      expect(contrast(one, other), `${one} on ${other}`).toBeGreaterThanOrEqual(7);
    }
  }
});

test('the headers let nothing in, show it in no frame, and keep it nowhere', () => {
  expect(header('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
  );
  expect(header('content-security-policy', pageHeaders(['https:']))).toContain("form-action 'self' https:;");
  expect(header('cache-control')).toBe('no-store');
  expect(header('x-frame-options')).toBe('DENY');
  expect(header('referrer-policy')).toBe('same-origin');
});

test('the account tells who one is, by the title of the provider', () => {
  const text = accountPage(ALICE, providers).toString();
  for (const shown of ['alice', 'The Test', 'studio', 'artist, admin', '2026-11-26 09:30 UTC', 'a-session-id']) {
    expect(text).toContain(`<bdi>${shown}</bdi>`);
  }
});

test('the account of somebody who shows a token has nothing to end', () => {
  const text = accountPage({ ...ALICE, sessionId: undefined, tenant: undefined, roles: [] }, []).toString();
  expect(text).not.toContain('<form');
  expect(text).not.toMatch(/<dt>(?:Session|Organisation|Roles|Logged in)</);
  expect(text).toContain('<bdi>test</bdi>');
});

test('a refusal without an id shows none', () => {
  expect(refusalPage({ title: 'A', sentence: 'B.', requestId: undefined }).toString()).not.toContain('Request:');
});

test('a link to log in holds what is given, encoded', () => {
  expect(loginLink(undefined)).toBe('/auth/login');
  expect(loginLink('/a?b=c&d', 'x y')).toBe('/auth/login?provider=x+y&return=%2Fa%3Fb%3Dc%26d');
});
