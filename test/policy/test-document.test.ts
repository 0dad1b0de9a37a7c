import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/policy/document.ts';
import { formatFault } from '../../src/policy/fault.ts';
import { checkTestFile, testFileFaults } from '../../src/policy/test-document.ts';
import { jaazPolicy } from '../support/policies.ts';
import { policyFrom } from '../support/stages.ts';

const HEAD = `version: 1
policy: p.yaml
principals:
  alice: {}
`;

const written = (text: string) => {
  const read = parseDocument({ file: 't.yaml', text: HEAD + text });
  if ('faults' in read) throw new Error(read.faults.map(formatFault).join('\n'));
  return { document: read.document, checked: checkTestFile(read.document) };
};

const faultsOf = (text: string, policy = jaazPolicy()): string[] => {
  const { document, checked } = written(text);
  return ('faults' in checked ? checked.faults : testFileFaults(document, checked.value, policy)).map(formatFault);
};

const request = (more: string) => `requests: [{ name: a, as: alice, send: GET /, expect: {}, ${more} }]\n`;

describe('a test file', () => {
  test('needs little', () => {
    const { checked } = written('');
    expect(checked).toEqual({
      value: {
        version: 1,
        policy: 'p.yaml',
        golden: false,
        principals: { alice: { roles: [] } },
        owned: {},
        deleted: {},
        pending: {},
        upstream: {},
        requests: [],
        events: [],
        matrix: [],
      },
    });
  });

  test('may have everything', () => {
    expect(
      faultsOf(`coverage: all
golden: true
owned: { alice: { canvas: [a], session: [t], file: [im_12345678.png] } }
deleted: { alice: { session: [s] } }
pending: { 'session:t': [call_1, 'call 2'] }
upstream: { /api/list_models: { status: 200, headers: { a: b }, json: [] } }
requests:
  - name: a
    as: nobody
    send: POST /api/canvas/create?x=1
    headers: { accept: x }
    body: { a: 1 }
    answer: { status: 500, text: no }
    repeat: 3
    expect:
      decision: token-missing
      route: canvas.create
      forwarded: { target: x, headers: { a: null }, body: { b: [1] }, text: x }
      shown: { status: 401, headers: { a: b }, json: null, text: x }
      claims: ['canvas:a']
      releases: []
      learned: ['file:x']
      would: [deny token-missing]
  - { name: b, as: alice, send: GET /, text: x, expect: { forwarded: null } }
  - { name: c, as: alice, send: GET /, form: { file: { name: n, type: t, text: x } }, expect: {} }
events:
  - { name: d, event: e, payload: {}, expect: { heard: [alice], payload: {}, dropped: null, learned: [], ended: ['session:s'], pending: [c], settled: [] } }
matrix:
  - { name: e, as: [alice, nobody], rows: [{ send: GET /, expect: allowed }, { send: GET /, expect: [allowed, route-denied] }] }
`),
    ).toEqual([]);
  });

  test.each([
    [request('expcet: {}'), 't.yaml:5:59: unknown key "expcet", did you mean "expect"?'],
    ['golden: yes\n', 't.yaml:5:9: golden has the wrong type (found "yes", expected true or false)'],
    [
      'requests: [{ name: a, as: alice, send: GET /, expect: { decision: alowed } }]\n',
      't.yaml:5:67: requests[0].expect.decision is not acceptable, did you mean "allowed"?',
    ],
    [
      'requests: [{ name: a, as: alice, send: get /, expect: {} }]\n',
      't.yaml:5:40: requests[0].send has the wrong form',
    ],
    [
      'requests: [{ name: a, as: alice, send: GET /, expect: { claims: [a] } }]\n',
      't.yaml:5:66: requests[0].expect.claims[0] has the wrong form',
    ],
    [request('repeat: 0'), 't.yaml:5:67: requests[0].repeat is too small'],
    [
      'requests: [{ name: a, as: bob, send: GET /, expect: {} }]\n',
      't.yaml:5:27: this name leads nowhere (found bob, expected nobody, alice)',
    ],
    [
      'requests: [{ name: a, as: alise, send: GET /, expect: {} }]\n',
      't.yaml:5:27: this name leads nowhere (found alise, expected alice)',
    ],
    [
      'requests: [{ name: a, as: alice, send: GET /, expect: { route: canvas.lst } }]\n',
      't.yaml:5:64: this name leads nowhere (found canvas.lst, expected canvas.list)',
    ],
    [request("body: {}, text: ''"), 't.yaml:5:12: a request has one body (found body and text, expected one of them)'],
    ['owned: { bob: {} }\n', 't.yaml:5:10: this name leads nowhere (found bob, expected alice)'],
    ['owned: { alice: { canvs: [] } }\n', 't.yaml:5:19: this name leads nowhere (found canvs, expected canvas)'],
    ["pending: { 'session:s': [c] }\n", 't.yaml:5:12: nobody owns this (found session:s, expected one of owned)'],
    [
      "owned: { alice: { canvas: [c] } }\npending: { 'canvas:c': [c] }\n",
      't.yaml:6:12: no call is announced in this (found canvas, expected session)',
    ],
    [
      "owned: { alice: { session: [s] } }\npending: { 'session:s': [''] }\n",
      'the id of a call, of 256 characters at most',
    ],
    [
      'pending: { session: [c] }\n',
      't.yaml:5:12: pending has a key of the wrong form (found "session", expected kind:id)',
    ],
    ['deleted: { alice: { canvas: [list] } }\n', 't.yaml:5:30: no canvas can have this id (found list)'],
    [
      'events: [{ name: a, event: e, payload: {}, expect: { heard: [bob] } }]\n',
      't.yaml:5:62: this name leads nowhere (found bob, expected nobody, alice)',
    ],
    [
      'matrix: [{ name: a, as: [bob], rows: [{ send: GET /, expect: allowed }] }]\n',
      't.yaml:5:26: this name leads nowhere',
    ],
    [
      'matrix: [{ name: a, as: [alice, nobody], rows: [{ send: GET /, expect: [allowed] }] }]\n',
      't.yaml:5:72: each of as has one decision (found 1, expected 2)',
    ],
    [
      'events: [{ name: a, event: e, payload: {}, expect: {} }]\nmatrix: [{ name: a, as: [alice], rows: [{ send: GET /, expect: allowed }] }]\n',
      't.yaml:6:18: another test has this name (found a)',
    ],
  ])('is refused: %s', (text, fault) => {
    expect(faultsOf(text)).toEqual([expect.stringContaining(fault)]);
  });

  test('declares nobody as nobody', () => {
    const read = parseDocument({ file: 't.yaml', text: 'version: 1\npolicy: p.yaml\nprincipals: { nobody: {} }\n' });
    const checked = 'document' in read ? checkTestFile(read.document) : read;
    if (!('document' in read) || 'faults' in checked) throw new Error('it is of the right form');
    expect(testFileFaults(read.document, checked.value, jaazPolicy()).map(formatFault)).toEqual([
      't.yaml:3:15: nobody is nobody: there is nothing to declare',
    ]);
  });

  test('has no events for a policy without a socket', () => {
    const policy = policyFrom('version: 1\nname: p\nroutes: [{ id: page, match: GET /, access: public }]\n');
    expect(faultsOf('events: [{ name: a, event: e, payload: {}, expect: {} }]\n', policy)).toEqual([
      't.yaml:5:10: the policy has no socket that could hear an event',
    ]);
  });

  test('is told all its faults at once, in the order of the file', () => {
    const faults = faultsOf(`owned: { bob: {}, alice: { canvas: [list] } }
requests: [{ name: a, as: bob, send: GET /, expect: { route: x } }]
`);
    expect(faults.map((fault) => fault.split(':', 3).join(':'))).toEqual([
      't.yaml:5:10',
      't.yaml:5:37',
      't.yaml:6:27',
      't.yaml:6:62',
    ]);
  });
});
