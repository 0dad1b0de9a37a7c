import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/model/json.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { MessageRules } from '../../src/model/websocket.ts';
import { messages } from '../../src/realtime/messages.ts';
import { policyFrom } from '../support/stages.ts';

const rulesOf = (section: string): MessageRules => {
  const [rule] = policyFrom(`version: 1
name: p
resources: { session: { id: '[a-z]{1,9}' }, canvas: { id: '[a-z]{1,9}' }, file: { id: '[a-z]+[.]png', url: /file/ } }
routes: [{ id: a, match: GET /a }]
sockets: [{ id: s, path: /s, protocol: websocket, token: [header], max: 1KiB, ${section} }]
`).webSockets;
  if (rule?.carries.kind !== 'messages') throw new Error('no messages');
  return rule.carries;
};

const judge = messages(
  rulesOf(`type: head.kind,
    send: { say: { own: { session: to.session } }, ping: {} },
    deliver: {
      delta: { owner: { session: session }, agree: { canvas: canvas } },
      image: { owner: { session: session }, learn: { file: ['files[*]'] } },
      hello: { for: everyone } }`),
);

const reasonOf = (value: JsonValue): string | undefined => {
  try {
    judge.sent(value);
    return undefined;
  } catch (error) {
    return error instanceof Rejection ? `${error.reason}: ${error.message}` : String(error);
  }
};

describe('what a client sends', () => {
  test('is known by its type, and names what the policy says', () => {
    const value = { head: { kind: 'say' }, to: { session: 'mine' } };
    const { type, named } = judge.sent(value);
    expect([type, named.map(({ use, ref }) => [use.verb, ref])]).toEqual([
      'say',
      [['own', { kind: 'session', id: 'mine' }]],
    ]);
    expect(judge.sent({ head: { kind: 'ping' } }).named).toEqual([]);
  });

  test.each([
    ['an unlisted type', { head: { kind: 'shut' } }, 'event-refused: message "shut"'],
    ['a type of the other direction', { head: { kind: 'hello' } }, 'event-refused: message "hello"'],
    ['no type', {}, 'event-refused: a message without a type'],
    ['a type that is no text', { head: { kind: 7 } }, 'event-refused: a message without a type'],
    ['a type in a list', { head: [{ kind: 'ping' }] }, 'event-refused: a message without a type'],
    ['the name of a method', { head: { kind: 'toString' } }, 'event-refused: message "toString"'],
    ['no object', ['ping'], 'packet-invalid: a message that is no object'],
    ['no id', { head: { kind: 'say' } }, 'id-invalid: message to.session: expected a session id'],
    ['an id that is none', { head: { kind: 'say' }, to: { session: 'A' } }, 'id-invalid: message to.session'],
    ['a list of ids', { head: { kind: 'say' }, to: { session: ['mine'] } }, 'id-invalid: message to.session'],
  ] as ReadonlyArray<[string, JsonValue, string]>)('is refused with %s', (_, value, words) => {
    expect(reasonOf(value)).toContain(words);
  });

  test('is quoted shortly', () => {
    expect(reasonOf({ head: { kind: `"\n${'x'.repeat(1_000)}` } })?.length).toBeLessThan(120);
  });
});

describe('what the upstream sends', () => {
  test('is its owner’s, with what must be the same owner’s', () => {
    const value = { head: { kind: 'delta' }, session: 'mine', canvas: 'mine' };
    expect(judge.delivered(value)).toMatchObject({
      kind: 'owned',
      type: 'delta',
      owner: { kind: 'session', id: 'mine' },
      agree: [{ kind: 'canvas', id: 'mine' }],
      learn: [],
    });
  });

  test('teaches ids, also out of URLs', () => {
    const files = ['a.png', 'http://localhost:1/file/b.png', 'https://elsewhere/c.png', 7];
    expect(judge.delivered({ head: { kind: 'image' }, session: 'mine', files })).toMatchObject({
      learn: [
        { kind: 'file', id: 'a.png' },
        { kind: 'file', id: 'b.png' },
      ],
    });
  });

  test('may be everybody’s', () => {
    expect(judge.delivered({ head: { kind: 'hello' }, session: 'another' })).toMatchObject({ kind: 'everyone' });
  });

  test.each([
    ['an unlisted type', { head: { kind: 'say' } }, 'unlisted-type'],
    ['no type', { session: 'mine' }, 'malformed'],
    ['no object', 'delta', 'malformed'],
    ['no session', { head: { kind: 'delta' } }, 'no-resource'],
    ['an empty session', { head: { kind: 'delta' }, session: '' }, 'no-resource'],
    ['what is no session', { head: { kind: 'delta' }, session: {} }, 'malformed'],
    ['what is no canvas', { head: { kind: 'delta' }, session: 'mine', canvas: 7 }, 'malformed'],
  ] as ReadonlyArray<[string, JsonValue, string]>)('is dropped with %s', (_, value, because) => {
    expect(judge.delivered(value)).toMatchObject({ kind: 'drop', because });
  });

  test('is judged whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(['drop', 'owned', 'everyone']).toContain(judge.delivered(value as JsonValue).kind);
        expect(reasonOf(value as JsonValue)).toMatch(/^(packet-invalid|event-refused|id-invalid): /);
      }),
    );
  });
});

test('the gateway’s own message has its type where the others have theirs', () => {
  const refused = { code: 'event-refused', message: 'No.' };
  expect(judge.notice(refused)).toEqual({ refused, head: { kind: 'gateway' } });
  const flat = messages(rulesOf('type: kind, send: { ping: {} }'));
  expect(flat.notice(refused)).toEqual({ refused, kind: 'gateway' });
});
