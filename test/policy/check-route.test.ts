import { describe, expect, test } from 'vitest';
import { faultsOf } from '../support/stages.ts';

const HEAD = `version: 1
name: p
resources:
  canvas: { id: '[a-z]{1,9}' }
  session: { id: '[a-z]{1,9}', parent: canvas }
limits:
  requests: { points: 5, per: 1m, by: user }
  failures: { points: 5, per: 1m, by: address, counts: failed-authentication }
  running: { concurrent: 3, by: user, timeout: 1m }
everywhere: [failures]
routes:
`;
const LINE = HEAD.split('\n').length;
const withRoute = (text: string): string => `${HEAD}  - { id: r, ${text} }\n`;
const faults = (text: string): string[] => faultsOf(withRoute(text));
/** The place of a part of the route's text. */
const place = (text: string, part: string): string =>
  `p.yaml:${LINE}:${withRoute(text).lastIndexOf(part) - HEAD.length + 1}`;

describe('a header of the answer that is not the policy’s to set:', () => {
  test.each([
    ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'trailer', 'te'],
    ...['content-length', 'content-type', 'content-encoding', 'set-cookie', 'date', 'host', 'www-authenticate'],
    ...['x-request-id', 'x-content-type-options', 'ratelimit', 'ratelimit-policy', 'retry-after'],
  ])('%s', (name) => {
    const text = `match: GET /a, headers: { vary: origin, ${name}: x }`;
    expect(faults(text)).toEqual([
      `${place(text, `${name}: x`)}: this header is not the policy’s to set (found ${name}, expected another header)`,
    ]);
  });

  test.each(['cache-control', 'content-security-policy', 'vary', 'referrer-policy', 'access-control-allow-origin'])(
    'but %s is',
    (name) => {
      expect(faults(`match: GET /a, headers: { ${name}: x }`)).toEqual([]);
    },
  );
});

describe('a page', () => {
  test.each([
    'match: GET /',
    "match: 'GET /c/*', forward-to: /",
    'match: GET /, query: [a], limits: [requests]',
    'match: GET /, cache: { max-age: 1m }',
    'match: GET /, answer: { status: 200, text: x, type: text/html }',
    'match: GET /, when: { header: a, is: b }, token: [header, query]',
  ])('may be %s', (text) => {
    expect(faults(`${text}, access: page`)).toEqual([]);
  });

  test.each([
    "match: 'GET /{canvas}'",
    'match: GET /, filter: { relative: true }',
    'match: GET /, body: { json: 1KiB }',
    'match: GET /, body: { json: 1KiB, references: canvas }',
  ])('is none that knows its user: %s', (text) => {
    const page = `${text}, access: page`;
    const message = 'a page knows no user where nobody can log in, so it takes nothing and shows nothing that is owned';
    expect(faults(page)).toEqual([`${place(page, 'page')}: ${message} (found page)`]);
  });

  test.each(['POST', 'HEAD', 'DELETE'])('is not asked for with %s', (method) => {
    const page = `match: ${method} /, access: page`;
    const message = 'a page is opened, and not sent anything';
    expect(faults(page)).toEqual([`${place(page, `${method} /`)}: ${message} (found ${method} /, expected GET)`]);
  });

  test('asks for no role: where nobody can log in it would be ignored', () => {
    const page = 'match: GET /, access: page, roles: [admin]';
    expect(faults(page)).toEqual([`${place(page, '[admin]')}: a page route asks for no role`]);
  });

  test('is not the same for all users by its own word, but by being one', () => {
    expect(faults('match: GET /, access: page, shared: true')).toEqual([expect.stringContaining('(found page)')]);
  });
});

describe('what is shared by all users', () => {
  test.each([
    'match: GET /x, shared: true',
    'match: POST /x, shared: true, body: { json: 1KiB }',
    'match: GET /x, shared: true, roles: [admin]',
    'match: GET /x, shared: true, filter: { drop: [a], max: 1KiB }',
    "match: 'GET /x/{canvas}', shared: false",
  ])('may be said of %s', (text) => {
    expect(faults(text)).toEqual([]);
  });

  test.each([
    ["match: 'GET /x/{canvas}', shared: true", 'a resource'],
    ['match: POST /x, shared: true, body: { json: 1KiB, references: canvas }', 'a resource'],
    [
      "match: GET /x, shared: true, filter: { keep: [{ resource: canvas, each: '[*]', id: id }], max: 1KiB }",
      'a resource',
    ],
    ['match: POST /x, shared: true, filter: { learn: { canvas: id }, max: 1KiB }', 'a resource'],
    ['match: GET /x, shared: true, access: public', 'public'],
    ['match: GET /x, shared: true, access: denied', 'denied'],
  ])('is none of the kind in %s', (text, found) => {
    const message = 'what is the same for all users is for users, and names and shows nothing that is owned';
    expect(faults(text)).toEqual([`${place(text, 'true')}: ${message} (found ${found})`]);
  });
});

describe('a fault is told of at its place:', () => {
  test.each([
    [
      'a limit of failures on one route',
      'match: GET /a, limits: [requests, failures]',
      'failures]',
      'failed authentications are counted on every route, not on one (found failures, expected it in everywhere alone)',
    ],
    [
      'a run of what is not checked',
      'match: POST /a, body: { json: 1KiB, own: { session: a } }, run: { limit: running, session: b, ends: answer }',
      'b, ends',
      'a run is named by an id that the route checks (found b, expected a)',
    ],
    [
      'a run where several ids are checked',
      'match: POST /a, body: { json: 1KiB, own: { canvas: a.x }, claim: { session: b } }, run: { limit: running, session: c, ends: event }',
      'c, ends',
      'a run is named by an id that the route checks (found c, expected one of a.x, b)',
    ],
    [
      'a run where no id is checked',
      "match: 'POST /a/{session}', body: { json: 1KiB }, run: { limit: running, session: b, ends: event }",
      'b, ends',
      'a run is named by an id that the route checks (found b, expected body: { claim: { KIND: b } })',
    ],
    [
      'an answer for nothing hidden',
      "match: 'GET /a/{workflow}', hidden: { status: 404, json: null }",
      '{ status',
      'nothing can be hidden: the route names no resource (expected {KIND} in its path, or an id in its body)',
    ],
    [
      'an answer for nothing hidden, where texts are searched',
      'match: POST /a, body: { json: 1KiB, references: canvas }, hidden: { status: 404, json: null }',
      '{ status',
      'nothing can be hidden',
    ],
    [
      'citations in a form',
      'match: POST /a, body: { multipart: 1KiB, file: f, references: canvas }',
      'canvas }',
      'texts are searched in a JSON body (found canvas, expected json: SIZE)',
    ],
  ])('%s', (_name, text, part, words) => {
    expect(faults(text)).toEqual([expect.stringContaining(`${place(text, part)}: ${words}`)]);
  });

  test.each([['own'], ['claim'], ['create']])('but not a run that is named by an id of %s', (verb) => {
    const text = `match: POST /a, body: { json: 1KiB, ${verb}: { session: a } }, run: { limit: running, session: a, ends: event }`;
    expect(faults(text)).toEqual([]);
  });

  test.each([
    ['in the path', "match: 'GET /a/{canvas}'"],
    ['in the body', 'match: POST /a, body: { json: 1KiB, create: { session: a } }'],
  ])('but not a hidden answer where a resource is named %s', (_name, text) => {
    expect(faults(`${text}, hidden: { status: 200, json: null }`)).toEqual([]);
  });

  test.each([
    ['a resource in the path', "match: 'GET /a/{canvas}'"],
    ['a release', "match: 'DELETE /a/{canvas}', release: canvas"],
    ['a resource in the body', 'match: POST /a, body: { json: 1KiB, own: { canvas: a } }'],
    ['citations', 'match: POST /a, body: { json: 1KiB, references: canvas }'],
    ['a filter', "match: GET /a, filter: { keep: [{ resource: canvas, each: '[*]', id: id }], max: 1KiB }"],
    ['a run', 'match: POST /a, body: { json: 1KiB }, run: { limit: running, session: s, ends: answer }'],
  ])('a public route with %s', (_name, text) => {
    const words = 'a public route knows no user, so it cannot name or show what is owned (found public)';
    expect(faults(`${text}, access: public`).filter((fault) => fault.endsWith(words))).toHaveLength(1);
  });
});

describe('a token in the query', () => {
  const ROUTE = 'match: GET /a, token: [header, query]';

  test.each(['', ', query: [a]', ', headers: { referrer-policy: no-referrer }', ', access: user', ', roles: [admin]'])(
    'may stand there%s',
    (more) => {
      expect(faults(ROUTE + more)).toEqual([]);
    },
  );

  test.each([
    [
      'where no token is looked at',
      `${ROUTE}, access: public`,
      '[header, query], access',
      'a public route looks at no token (found query)',
    ],
    [
      'where nobody is let in',
      `${ROUTE}, access: denied`,
      '[header, query], access',
      'a denied route looks at no token (found query)',
    ],
    [
      'that would be forwarded',
      `${ROUTE}, query: [a, token]`,
      'token]',
      'the token would be forwarded, because it is a parameter of this name (found token, expected other names)',
    ],
    [
      'that a link would tell',
      `${ROUTE}, headers: { referrer-policy: same-origin }`,
      'same-origin',
      'an address that may hold a token is told to no other site (found same-origin, expected no-referrer)',
    ],
    [
      'and nowhere else',
      'match: GET /a, token: [query]',
      '[query]',
      'a token may always stand in the header (found query, expected [header, query])',
    ],
  ])('is a fault %s', (_, text, part, words) => {
    expect(faults(text)).toEqual([`${place(text, part)}: ${words}`]);
  });

  test('is nobody’s concern where the upstream has a parameter of that name', () => {
    expect(faults('match: GET /a, query: [token]')).toEqual([]);
    expect(faults('match: GET /a, token: [header], query: [token]')).toEqual([]);
  });
});
