import { describe, expect, test } from 'vitest';
import {
  askedOf,
  belongingsOf,
  callerOf,
  issuersOf,
  ownerOf,
  pendingOf,
  upstreamOf,
} from '../../../src/cli/policy-tests/scene.ts';
import type { TestFile } from '../../../src/policy/test-document.ts';
import { jaazPolicy } from '../../support/policies.ts';

const file = {
  principals: { alice: { roles: ['x'] }, bob: { issuer: 'other', user: 'Bob', roles: [] } },
  owned: { alice: { canvas: ['a'] } },
  deleted: { bob: { file: ['f'] } },
  pending: { 'canvas:a': ['c1', 'c2'], 'canvas:b': ['c3'] },
  upstream: { '/x': { status: 200, headers: {}, json: [1] } },
} as unknown as TestFile;

const carrier = { send: 'POST /api/x', headers: {} };

describe('the people of a test file', () => {
  test('have the issuer and the name that they are given, or usual ones', () => {
    expect(issuersOf(file)).toEqual(['users', 'other']);
    expect(callerOf(file, 'alice')).toEqual({ issuer: 'users', user: 'alice', roles: ['x'] });
    expect(ownerOf(file, 'bob')).toBe('other|Bob');
    expect(callerOf(file, 'nobody')).toBeUndefined();
  });

  test('own things, and owned some that were deleted', () => {
    expect(belongingsOf(file)).toEqual([
      { ref: { kind: 'canvas', id: 'a' }, owner: 'users|alice', deleted: false },
      { ref: { kind: 'file', id: 'f' }, owner: 'other|Bob', deleted: true },
    ]);
  });
});

test('calls wait for whoever owns what they wait in, and for nobody where nobody does', () => {
  expect(pendingOf(file)).toEqual([
    { place: { kind: 'canvas', id: 'a' }, owner: 'users|alice', call: 'c1' },
    { place: { kind: 'canvas', id: 'a' }, owner: 'users|alice', call: 'c2' },
    { place: { kind: 'canvas', id: 'b' }, owner: 'nobody', call: 'c3' },
  ]);
});

test('the upstream has what is written', () => {
  expect(upstreamOf(file).get('/x')).toEqual({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('[1]'),
  });
});

describe('the request of a test', () => {
  test.each([
    [{ body: { a: 1 } }, '{"a":1}'],
    [{ text: '{"a":1,"a":2}' }, '{"a":1,"a":2}'],
  ])('carries %j as it stands there', (more, bytes) => {
    const asked = askedOf({ ...carrier, ...more }, undefined);
    expect(asked).toMatchObject({ method: 'POST', target: '/api/x', headers: ['content-type', 'application/json'] });
    expect(asked.body?.toString()).toBe(bytes);
  });

  test('carries a form', () => {
    const asked = askedOf({ ...carrier, form: { file: { name: 'a.png', type: 'image/png', text: 'png' } } }, undefined);
    expect(asked.headers[1]).toMatch(/^multipart\/form-data; boundary=/);
    expect(asked.body?.toString()).toContain('name="file"; filename="a.png"');
  });

  test('may say itself of which type it is', () => {
    const headers = { 'content-type': 'text/plain' };
    expect(askedOf({ ...carrier, headers, text: 'x' }, undefined).headers).toEqual(['content-type', 'text/plain']);
  });

  test('is answered as it is written, or else plainly, as the route expects', () => {
    const { match } = jaazPolicy();
    const answerTo = (path: string, answer?: { status: number; headers: Record<string, string>; text: string }) => {
      const found = match('GET', path);
      return found && askedOf({ ...carrier, ...(answer && { answer }) }, undefined).answer(found);
    };
    expect(answerTo('/api/canvas/list')?.body.toString()).toBe('[]');
    expect(answerTo('/api/canvas/a')?.body.toString()).toBe('{}');
    expect(answerTo('/api/canvas/a', { status: 500, headers: { a: 'b' }, text: 'no' })).toEqual({
      status: 500,
      headers: { a: 'b' },
      body: Buffer.from('no'),
    });
  });
});
