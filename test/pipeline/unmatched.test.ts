import { describe, expect, test } from 'vitest';
import { unmatchedMode } from '../../src/pipeline/unmatched.ts';
import { policyFrom, principalOf } from '../support/stages.ts';

const TEXT = `version: 1
name: t
mode: shadow
cohorts: { bobs: { mode: enforce, users: ['test|bob'] } }
routes:
  - { id: in-effect, match: GET /a/one, mode: enforce }
  - { id: looking, match: GET /a/two }
  - { id: put, match: PUT /a/two, mode: enforce }
  - { id: tree, match: 'GET /tree/*', access: denied, mode: enforce }
sockets:
  - { path: /socket.io/, protocol: socket.io, token: [auth], deliver: {}, accept: {} }
`;
const [alice, bob] = [principalOf('alice'), principalOf('bob')];
const policy = policyFrom(TEXT);

describe('what no route matches', () => {
  test.each([
    ['GET', '/b'],
    ['HEAD', '/a/two'],
    ['GET', '/a/two/'],
    ['HEAD', '/tree'],
    ['POST', '/a/one'],
    ['GET', '/socket'],
    ['GET', '/'],
  ])('is in the mode of the file: %s %s', (method, path) => {
    expect(unmatchedMode(policy, { method, path }, alice)).toBe('shadow');
    expect(unmatchedMode(policy, { method, path }, undefined)).toBe('shadow');
    expect(unmatchedMode(policy, { method, path }, bob)).toBe('enforce');
  });

  test.each([
    ['HEAD', '/a/one'],
    ['GET', '/a/one/'],
    ['HEAD', '/a/one/'],
    ['GET', '/A/One'],
    ['PUT', '/a/two/'],
    ['GET', '/tree/'],
  ])('is in effect where a route is that looks like it: %s %s', (method, path) => {
    expect(unmatchedMode(policy, { method, path }, undefined)).toBe('enforce');
  });

  test('is in effect, in whatever mode, where the sockets are', () => {
    const off = policyFrom(
      TEXT.replace('mode: shadow', 'mode: off').replace('mode: enforce, users', 'mode: off, users'),
    );
    for (const path of ['/socket.io/', '/socket.io', '/socket.io/x/']) {
      expect(unmatchedMode(off, { method: 'GET', path }, bob)).toBe('enforce');
    }
    expect(unmatchedMode(off, { method: 'POST', path: '/b' }, bob)).toBe('off');
  });
});
