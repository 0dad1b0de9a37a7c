import { describe, expect, test } from 'vitest';
import { fieldPathText } from '../../src/model/field-path.ts';
import type { JsonValue } from '../../src/model/json.ts';
import type { MessageRules } from '../../src/model/websocket.ts';
import { faultsOf, policyFrom } from '../support/stages.ts';

const text = (tables: string): string => `version: 1
name: p
resources: { session: { id: '[a-z]{1,9}', reserved: [new] }, file: { id: '[a-z]{1,9}[.]png', url: /f/ } }
routes: [{ id: a, match: GET /a }]
sockets:
  - { id: s, path: /ws, protocol: websocket, token: [header], type: kind, max: 1KiB,
    ${tables} }
`;

const rulesOf = (tables: string): MessageRules => {
  const [rule] = policyFrom(text(tables)).webSockets;
  if (rule?.carries.kind !== 'messages') throw new Error('no messages');
  return rule.carries;
};

describe('what clients send', () => {
  test('names resources, each with its verb', () => {
    const { send } = rulesOf(
      'send: { open: { own: { file: at.file }, create: { session: id } }, say: { claim: { session: id } } }',
    );
    expect(
      [...send].map(([type, { uses }]) => [
        type,
        uses.map(({ verb, kind, path }) => `${verb} ${kind.name} ${fieldPathText(path)}`),
      ]),
    ).toEqual([
      ['open', ['own file at.file', 'create session id']],
      ['say', ['claim session id']],
    ]);
  });

  test('knows an id when it sees one', () => {
    const [use] = rulesOf('send: { say: { own: { session: id } } }').send.get('say')?.uses ?? [];
    const values = ['abc', 'new', 'ABC', '', 'a'.repeat(300), 7, null, undefined, ['abc']];
    expect(values.filter((value) => use?.isId(value))).toEqual(['abc']);
  });

  test('has a bound of its own, or that of the endpoint; and a form', () => {
    const { send } = rulesOf('send: { a: { max: 10B, schema: { type: object, additional: allow } }, b: {} }');
    expect(send.get('a')).toMatchObject({ maxBytes: 10, schema: { type: 'object', additional: 'allow' } });
    expect(send.get('b')).toEqual({ uses: [], schema: undefined, maxBytes: 1_024 });
  });
});

describe('what clients see', () => {
  test('is an owner’s, with what must agree and what is learned', () => {
    const owned = rulesOf(
      'deliver: { d: { owner: { session: s }, agree: { file: f }, learn: { file: [a, "b[*]"] } } }',
    ).deliver.get('d')?.owned;
    expect([owned?.name, owned?.owner.kind.name, owned?.agree.map(({ kind }) => kind.name)]).toEqual([
      'd',
      'session',
      ['file'],
    ]);
    expect(owned?.types.get('d')?.learn.map(({ path }) => fieldPathText(path))).toEqual(['a', 'b[*]']);
  });

  test('is everybody’s only when it says so', () => {
    expect(rulesOf('deliver: { d: { for: everyone } }').deliver.get('d')?.owned).toBeUndefined();
  });

  test('is changed as the policy says', () => {
    const rule = rulesOf('deliver: { d: { for: everyone, redact: [a.b], relative: true } }').deliver.get('d');
    const value: JsonValue = { a: { b: 1 }, c: 'http://localhost:1/f/x.png' };
    const shown = rule?.operations.reduce<JsonValue>((so, operation) => operation(so, undefined, undefined), value);
    expect(shown).toEqual({ a: { b: '[redacted]' }, c: '/f/x.png' });
  });
});

describe('a fault:', () => {
  test.each([
    ['an unknown kind', 'send: { say: { own: { sesion: id } } }', 'not declared (found sesion, expected session)'],
    ['a place that is none', 'send: { say: { own: { session: a..b } } }', 'not a place in a JSON value (found a..b'],
    ['a list of ids', "send: { say: { own: { session: 'a[*]' } } }", 'one id is needed here, not a list (found a[*])'],
    ['a type too large for its endpoint', 'send: { say: { max: 2KiB } }', 'no message of the endpoint is so large'],
    ['a form that is no object', 'send: { say: { schema: { type: array } } }', 'a message is an object (found array'],
    [
      'a form without a place for the type',
      'send: { say: { schema: { type: object, properties: { id: { type: string } } } } }',
      'no place (found kind',
    ],
    [
      'a form without a place for an id',
      'send: { say: { own: { session: id }, schema: { type: object, properties: { kind: { type: string } } } } }',
      'no place (found id',
    ],
    [
      'a form with a fault of its own',
      'send: { say: { schema: { type: object, additional: allow, properties: { n: { type: integer, min: 2, max: 1 } } } } }',
      'nothing can be within these bounds (found 2 to 1)',
    ],
    ['a message of nobody', 'deliver: { d: {} }', 'a message has one owner (found 0, expected owner: { kind: field }'],
    ['of two owners', 'deliver: { d: { owner: { session: a, file: b } } }', 'a message has one owner (found 2'],
    ['an unknown owner', 'deliver: { d: { owner: { sesion: a } } }', 'not declared (found sesion'],
    [
      'an owner of what is everybody’s',
      'deliver: { d: { for: everyone, owner: { session: a } } }',
      'is nobody’s (found owner',
    ],
    [
      'learning from what is everybody’s',
      'deliver: { d: { for: everyone, learn: { file: [a] } } }',
      'nobody’s (found learn',
    ],
    ['an unknown kind that is learned', 'deliver: { d: { owner: { session: a }, learn: { fil: [a] } } }', '(found fil'],
    ['an unknown kind that agrees', 'deliver: { d: { owner: { session: a }, agree: { fil: b } } }', '(found fil'],
    ['a place that is hidden and is none', 'deliver: { d: { for: everyone, redact: [a..b] } }', 'not a place'],
    ['somebody else than everyone', 'deliver: { d: { for: someone } }', 'everyone'],
    ['the gateway’s own type', 'deliver: { gateway: { for: everyone } }', 'this type is the gateway’s own'],
  ])('%s', (_name, tables, words) => {
    const faults = faultsOf(text(tables));
    expect(
      faults.some((fault) => fault.startsWith('p.yaml:7:') && fault.includes(words)),
      faults.join('\n'),
    ).toBe(true);
  });
});
