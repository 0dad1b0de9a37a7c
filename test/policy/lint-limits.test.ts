import { describe, expect, test } from 'vitest';
import { found } from '../support/warnings.ts';

const limits = `limits:
  user: { points: 9, per: 1m, by: user }
  address: { points: 9, per: 1m, by: address }
  runs: { concurrent: 3, by: user, timeout: 1m }
`;
const resources = "resources: { session: { id: '[a-z]+' } }\n";
const run = (more = ''): string =>
  `  - { id: r, match: POST /r, body: { json: 1KiB, claim: { session: s } }, run: { limit: runs, session: s, ends: event }${more} }`;

describe('a route that writes without a limit', () => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s is told', (method) => {
    expect(found('write-unlimited', `routes:\n  - { id: r, match: ${method} /r }`)).toEqual(['4: r']);
  });

  test.each(['GET', 'HEAD', 'OPTIONS'])('%s does not write', (method) => {
    expect(found('write-unlimited', `routes:\n  - { id: r, match: ${method} /r }`)).toEqual([]);
  });

  test.each([
    ['user', 'user', []],
    ['user', 'address', ['8: r']],
    ['public', 'address', []],
    ['public', 'user', ['8: r']],
    ['denied', 'address', []],
  ])('with access %s and a limit by %s: %j', (access, limit, expected) => {
    const route = `routes:\n  - { id: r, match: POST /r, access: ${access}, limits: [${limit}] }`;
    expect(found('write-unlimited', `${limits}${route}`)).toEqual(expected);
  });

  test('a limit of everywhere holds on it, too', () => {
    const text = `${limits}everywhere: [user]\nroutes:\n  - { id: r, match: POST /r }`;
    expect(found('write-unlimited', text)).toEqual([]);
  });
});

describe('a generator', () => {
  const from = (route: string, more = ''): string[] =>
    found('generator-unlimited', `${limits}${resources}${more}routes:\n${route}`);

  test('a run needs a rate of its own, whatever holds everywhere', () => {
    expect(from(run())).toEqual(['9: r']);
    expect(from(run(), 'everywhere: [user]\n')).toEqual(['10: r']);
    expect(from(run(', limits: [address]'))).toEqual(['9: r']);
    expect(from(run(', limits: [user]'))).toEqual([]);
  });

  test('a choice from a catalogue needs one as well', () => {
    const catalogues = 'catalogues: { models: { get: /m, keys: [id], max-age: 1m } }\n';
    const route = (more: string): string =>
      `  - { id: r, match: POST /r, body: { json: 1KiB }, rewrite: [{ catalogue: { field: m, from: models } }]${more} }`;
    expect(from(route(''), catalogues)).toEqual(['10: r']);
    expect(from(route(', limits: [user]'), catalogues)).toEqual([]);
    expect(from(route(', access: denied'), catalogues)).toEqual([]);
  });
});
