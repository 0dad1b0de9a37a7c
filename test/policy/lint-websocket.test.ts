import { describe, expect, test } from 'vitest';
import { learnedInMessages, spokenKinds, webSocketWarnings } from '../../src/policy/lint-websocket.ts';
import { subjectFrom } from '../support/warnings.ts';

const found = (sockets: string): string[] =>
  webSocketWarnings(
    subjectFrom(`resources: { session: { id: '[a-z]+' } }
routes: [{ id: a, match: GET /a, access: public }]
sockets:
${sockets}`),
  ).map(({ code, found: what, line }) => `${line} ${code} ${what}`);

const endpoint = (more: string): string => `  - { id: s, protocol: websocket, token: [header], ${more} }\n`;

describe('a warning of', () => {
  test('an opaque endpoint that every user can open', () => {
    expect(found(endpoint('path: /raw, opaque: true'))).toEqual(['6 write-unowned s: unjudged bytes']);
  });

  test('a type of message that names nothing', () => {
    const send = 'send: { ping: {}, say: { own: { session: id } }, open: { create: { session: id } } }';
    expect(found(endpoint(`path: /ws, type: kind, max: 1KiB, ${send}`))).toEqual(['6 write-unowned s: ping']);
  });
});

describe('no warning where', () => {
  test.each([
    ['it is meant to be so', 'path: /raw, opaque: true, shared: true'],
    ['a role is needed', 'path: /raw, opaque: true, roles: [admin]'],
    ['the path names what must be owned', "path: '/raw/{session}', opaque: true"],
    ['a message is meant to be so', 'path: /ws, type: kind, max: 1KiB, send: { ping: { shared: true } }'],
    ['clients only listen', 'path: /ws, type: kind, max: 1KiB, deliver: { hello: { for: everyone } }'],
  ])('%s', (_, more) => {
    expect(found(endpoint(more))).toEqual([]);
  });
});

describe('what raw WebSockets deal with', () => {
  const subject = subjectFrom(`resources:
  canvas: { id: '[a-z]+' }
  session: { id: '[a-z]+' }
  file: { id: '[a-z]+' }
  other: { id: '[a-z]+' }
  more: { id: '[a-z]+' }
routes: [{ id: a, match: GET /a, access: public }]
sockets:
  - { id: raw, path: '/raw/{canvas}', protocol: websocket, token: [header], opaque: true }
  - { id: s, path: /ws, protocol: websocket, token: [header], type: kind, max: 1KiB,
      send: { open: { create: { session: id } }, say: { own: { other: id } } },
      deliver: { d: { owner: { session: id }, learn: { file: [a, b] } } } }
`);

  test('is known by kind', () => {
    const { named, chosen, learned } = spokenKinds(subject.policy);
    expect([...named].sort()).toEqual(['canvas', 'file', 'other', 'session']);
    expect([[...chosen], [...learned]]).toEqual([['session'], ['file']]);
  });

  test('is known by place', () => {
    const [source] = subject.sources;
    const path = ['sockets', 1, 'deliver', 'd', 'learn', 'file'];
    expect(source && learnedInMessages(source)).toEqual([
      { kind: 'file', place: 'a', path: [...path, 0] },
      { kind: 'file', place: 'b', path: [...path, 1] },
    ]);
  });
});
