import { describe, expect, test } from 'vitest';
import { route } from '../../src/policy/schema-route.ts';

const accepts = (more: object): boolean => route.safeParse({ id: 'a', match: 'GET /a', ...more }).success;

describe('a route', () => {
  test.each([
    [{}],
    [{ when: { role: 'a' } }],
    [{ token: ['header', 'query'] }],
    [{ rewrite: [{ set: { a: 'user.roles', b: { value: null } }, when: { role: 'a' } }] }],
    [{ rewrite: [{ rename: { from: 'a', to: 'b' } }] }],
    [{ filter: { drop: ['a', { at: 'b', when: { role: 'a' } }], redact: ['*.c'], max: '1KiB' } }],
    [{ 'forward-to': '/' }],
    [{ cache: { 'max-age': '30s', stale: '5m' } }],
    [{ answer: { status: 200, text: 'a', type: 'image/svg+xml' } }],
  ])('has %j', (more) => {
    expect(accepts(more)).toBe(true);
  });

  test.each([
    [{ token: [] }],
    [{ token: 'query' }],
    [{ token: ['auth'] }],
    [{ rewrite: [{ set: { a: 'user.email' } }] }],
    [{ rewrite: [{ set: { a: 5 } }] }],
    [{ rewrite: [{ inline: 'a', when: { role: 'a' } }] }],
    [{ rewrite: [{ catalogue: { field: 'a', from: 'b' }, when: { role: 'a' } }] }],
    [{ filter: { keep: [{ resource: 'a', each: 'b', id: 'c', when: { role: 'a' } }] } }],
    [{ filter: { learn: { a: 'b' }, when: { role: 'a' } } }],
    [{ filter: { drop: [{ at: 'a' }] } }],
    [{ cache: {} }],
    [{ answer: { status: 200 } }],
    [{ answer: { status: 200, json: 1, text: 'a' } }],
    [{ answer: { status: 101, text: 'a' } }],
    [{ answer: { status: 200, text: 'a', type: 'text/html; charset=x' } }],
  ])('has no %j', (more) => {
    expect(accepts(more)).toBe(false);
  });
});
