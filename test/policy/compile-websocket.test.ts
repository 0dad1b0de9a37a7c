import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fieldPathText } from '../../src/model/field-path.ts';
import { modeFor } from '../../src/model/mode.ts';
import { faultsOf, policyFrom } from '../support/stages.ts';

const text = (socket: string, more = ''): string => `version: 1
name: p
${more}resources: { session: { id: '[a-z]{1,9}' }, file: { id: '[a-z]{1,9}' } }
routes: [{ id: a, match: GET /a }]
sockets:
  - { id: s, protocol: websocket, token: [header], ${socket} }
`;

const ruleOf = (socket: string, more = '') => {
  const [rule] = policyFrom(text(socket, more)).webSockets;
  if (rule === undefined) throw new Error('no endpoint');
  return rule;
};

describe('an endpoint', () => {
  test('of messages is compiled', () => {
    const rule = ruleOf(
      "path: '/ws/{session}/live', subprotocols: [chat.v1], roles: [x], forward-to: /ws, type: a.kind, max: 1KiB, send: { ping: {} }, deliver: { hello: { for: everyone } }",
    );
    expect(rule).toMatchObject({ id: 's', subprotocols: ['chat.v1'], roles: ['x'], forwardTo: '/ws' });
    expect([...rule.credentials]).toEqual(['header']);
    expect(rule.segments).toMatchObject([{ text: 'ws' }, { name: 'session' }, { text: 'live' }]);
    if (rule.carries.kind !== 'messages') throw new Error('no messages');
    const { typePath, maxBytes, send, deliver } = rule.carries;
    expect([fieldPathText(typePath), maxBytes, [...send.keys()], [...deliver.keys()]]).toEqual([
      'a.kind',
      1_024,
      ['ping'],
      ['hello'],
    ]);
  });

  test('that is opaque has an idle bound, its own or that of all', () => {
    expect(ruleOf('path: /raw, opaque: true').carries).toEqual({ kind: 'opaque', idleMillis: 600_000 });
    expect(ruleOf('path: /raw, opaque: true, idle: 5s').carries).toEqual({ kind: 'opaque', idleMillis: 5_000 });
  });

  test('is in the mode of its file', () => {
    expect(modeFor(ruleOf('path: /raw, opaque: true').rollout, undefined)).toBe('enforce');
    expect(modeFor(ruleOf('path: /raw, opaque: true', 'mode: shadow\n').rollout, undefined)).toBe('shadow');
  });

  test('has other terms when what was agreed at the handshake changes, and the same when its tables do', () => {
    const socket = 'path: /ws, type: kind, max: 1KiB, send: { ping: {} }';
    const { terms } = ruleOf(socket);
    expect(ruleOf(socket.replace('ping', 'pong')).terms).toBe(terms);
    expect(ruleOf(socket, 'mode: shadow\n').terms).toBe(terms);
    for (const other of [
      'max: 2KiB',
      'max: 1KiB, roles: [x]',
      'max: 1KiB, subprotocols: [a]',
      'max: 1KiB, forward-to: /x',
    ]) {
      expect(ruleOf(socket.replace('max: 1KiB', other)).terms).not.toBe(terms);
    }
    expect(ruleOf('path: /ws, opaque: true').terms).not.toBe(terms);
  });
});

test('the policy of the manual loads', () => {
  const [, manual = ''] = /```yaml\n([\s\S]*?)```/.exec(readFileSync('docs/websockets.md', 'utf8')) ?? [];
  expect(policyFrom(manual).webSockets.map(({ id, carries }) => [id, carries.kind])).toEqual([
    ['agent', 'messages'],
    ['terminal', 'opaque'],
  ]);
});

describe('a fault:', () => {
  const messages = 'type: kind, max: 1KiB, send: { ping: {} }';

  test.each([
    ['no path', `path: ws, ${messages}`, 'not the path of an endpoint (found ws, expected /path)'],
    ['the root', `path: /, ${messages}`, 'not the path of an endpoint (found /'],
    ['a path that goes back', `path: /a/../b, ${messages}`, 'not the path of an endpoint'],
    ['a path with an escape', `path: /a%2fb, ${messages}`, 'not the path of an endpoint'],
    ['the rest of a path', `path: '/a/*', ${messages}`, 'an endpoint has one path (found /a/*'],
    [
      'a parameter that is no kind',
      `path: '/a/{sesion}', ${messages}`,
      'not declared (found sesion, expected session)',
    ],
    ['no type', 'path: /ws, max: 1KiB, send: { ping: {} }', 'messages cannot be judged without type'],
    ['no bound', 'path: /ws, type: kind, send: { ping: {} }', 'messages cannot be judged without max'],
    ['no message at all', 'path: /ws, type: kind, max: 1KiB', 'no message may pass here'],
    [
      'a type that is none',
      `path: /ws, ${messages.replace('type: kind', 'type: a..b')}`,
      'not a place in a JSON value',
    ],
    ['several types', `path: /ws, ${messages.replace('type: kind', "type: 'a[*].b'")}`, 'a message has one type'],
    [
      'the place of a notice',
      `path: /ws, ${messages.replace('type: kind', 'type: refused.x')}`,
      'own messages have this',
    ],
    ['messages that are opaque', `path: /ws, opaque: true, ${messages}`, 'judges no messages (found type)'],
    ['an idle bound of messages', `path: /ws, idle: 5s, ${messages}`, 'only an opaque endpoint is ended'],
    ['no token', `path: /ws, token: [], ${messages}`, 'token'],
    ['an unknown key', `path: /ws, opqaue: true, ${messages}`, 'did you mean "opaque"'],
    ['a sub-protocol that is none', `path: /ws, subprotocols: ['a b'], ${messages}`, 'the name of a sub-protocol'],
  ])('%s', (_name, socket, words) => {
    const own = socket.includes('token:') ? text(socket).replace('token: [header], ', '') : text(socket);
    const faults = faultsOf(own);
    expect(
      faults.some((fault) => fault.startsWith('p.yaml:6:') && fault.includes(words)),
      faults.join('\n'),
    ).toBe(true);
  });
});
