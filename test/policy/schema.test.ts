import { describe, expect, test } from 'vitest';
import { faultsOf } from '../support/stages.ts';

const policy = (more: string, route = 'match: GET /a'): string =>
  `version: 1\nname: p\nroutes: [{ id: a, ${route} }]\n${more}\n`;

describe('a fault of form is told of at its place:', () => {
  test.each([
    ['an unknown key', policy('route: []'), '4:1: unknown key "route", did you mean "routes"?'],
    [
      'an unknown key of a route',
      policy('', 'match: GET /a, acces: public'),
      '3:34: unknown key "acces", did you mean "access"?',
    ],
    ['a version to come', 'version: 2\nname: p\nroutes: [{ id: a, match: GET /a }]\n', '1:10: version'],
    ['no routes', 'version: 1\nname: p\nroutes: []\n', '3:9: the policy has no route'],
    ['a missing match', 'version: 1\nname: p\nroutes: [{ id: a }]\n', '3:10: missing key "match" in routes[0]'],
    ['another access', policy('', 'match: GET /a, access: everyone'), '3:42: routes[0].access'],
    ['no roles', policy('', 'match: GET /a, roles: []'), '3:41: routes[0].roles is too small'],
    [
      'a size without a unit',
      policy('', 'match: POST /a, body: { json: 32 }'),
      '3:49: routes[0].body.json has the wrong type',
    ],
    [
      'a duration without one',
      policy('', "match: GET /a, timeout: '15'"),
      '3:43: routes[0].timeout has the wrong form (found "15", expected a duration: 500ms, 30s, 5m, 1h, 7d)',
    ],
    ['a hidden status that is none', policy('', 'match: GET /a, hidden: { status: 99, json: null }'), '3:52: '],
    ['a header in capitals', policy('', 'match: GET /a, headers: { Cache-Control: x }'), '3:45: '],
    ['a line feed in a header', policy('', 'match: GET /a, headers: { a: "b\\nc" }'), '3:48: '],
    [
      'a source that is unknown',
      policy('', 'match: POST /a, body: { json: 1B }, rewrite: [{ set: { a: user.email } }]'),
      '3:77: ',
    ],
    [
      'an operation that is unknown',
      policy('', 'match: POST /a, body: { json: 1B }, rewrite: [{ sett: { a: user.id } }]'),
      '3:67: unknown key "sett", did you mean "set"?',
    ],
    ['a mode to come', policy('mode: warn'), '4:7: mode'],
    ['a kind with a colon', policy("resources: { 'a:b': { id: a } }"), '4:14: '],
    [
      'an url that is no path',
      policy('resources: { a: { id: a, url: http://x/ } }'),
      '4:31: resources.a.url has the wrong form',
    ],
    ['no points', policy('limits: { a: { points: 0, per: 1s, by: user } }'), '4:24: '],
    ['a catalogue with a query', policy('catalogues: { a: { get: "/x?y", keys: [a], max-age: 1s } }'), '4:25: '],
    [
      'a socket without a slash',
      policy('sockets: [{ path: /s, protocol: socket.io, token: [auth], deliver: {} }]'),
      '4:19: ',
    ],
    ['a key twice', 'version: 1\nversion: 1\n', '2:1: the key "version" is already in line 1'],
  ])('%s', (_name, text, words) => {
    const faults = faultsOf(text);
    expect(
      faults.filter((fault) => fault.startsWith(`p.yaml:${words}`)),
      faults.join('\n'),
    ).toHaveLength(1);
  });

  test('every one at once, in the order of the file', () => {
    const faults = faultsOf('version: 2\nnam: p\nroutes: [{ id: A, match: GET /a }]\nmode: off\n');
    const lines = faults.map((fault) => Number(fault.split(':')[1]));
    expect(faults.length).toBeGreaterThanOrEqual(4);
    expect(lines).toEqual([...lines].sort((a, b) => a - b));
  });
});
