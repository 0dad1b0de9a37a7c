import { describe, expect, test } from 'vitest';
import { lint } from '../../src/policy/lint.ts';
import { eventWarnings } from '../../src/policy/lint-events.ts';
import { found, subjectFrom, subjectOf } from '../support/warnings.ts';

const policy = (
  rule: string,
  types: string,
  route = 'match: GET /a',
): string => `resources: { session: { id: '[a-z]+' } }
routes:
  - { id: r, ${route} }
sockets:
  - path: /s/
    protocol: socket.io
    token: [auth]
    deliver:
      update:
        owner: { session: s.id }
        type: type
        ${rule}
        types: ${types}
`;

test('the shipped policies have no such mistake', () => {
  for (const file of ['policies/jaaz.yaml', 'policies/jaaz-workspace.yaml', 'policies/minimal.yaml']) {
    expect(eventWarnings(subjectOf(file))).toEqual([]);
  }
});

describe('calls that wait', () => {
  const types = '{ asks: { pending: id }, told: { settled: id } }';

  test('for an answer that no route takes are told', () => {
    expect(found('pending-unanswered', policy('', types))).toEqual(['15: asks at id']);
  });

  test('and that a route answers are not', () => {
    const route = 'match: POST /a, body: { json: 1KiB, own: { session: s }, confirms: id }';
    expect(found('pending-unanswered', policy('', types, route))).toEqual([]);
  });

  test('are told where the route is denied', () => {
    const route = 'match: POST /a, access: denied, body: { json: 1KiB, own: { session: s }, confirms: id }';
    expect(found('pending-unanswered', policy('', types, route))).toEqual(['15: asks at id']);
  });
});

describe('an agent that opens something', () => {
  const opening = '{ a: {}, b: { opens: { session: text } } }';

  test('and cannot be stopped is told', () => {
    expect(found('opens-uncancelled', policy('', opening))).toEqual(['15: b']);
    expect(found('opens-uncancelled', policy("cancel: 'POST /stop/{session}'", opening))).toEqual([]);
  });

  test('is what an end of runs is for', () => {
    expect(found('cancel-unused', policy("cancel: 'POST /stop/{session}'", '{ a: {} }'))).toEqual([
      '14: POST /stop/{session}',
    ]);
    expect(found('cancel-unused', policy("cancel: 'POST /stop/{session}'", opening))).toEqual([]);
  });

  test('uses the kind that it opens', () => {
    const text = policy('', '{ a: { opens: { file: text } } }').replace(
      'resources: {',
      'resources: { file: { id: x },',
    );
    expect(lint(subjectFrom(text)).filter(({ code }) => code === 'resource-unused')).toEqual([]);
  });
});

describe('what clients need is hidden', () => {
  test.each([
    ['redact: [s]', '{ a: {} }', '14: s hides s.id'],
    ['redact: [s.id]', '{ a: {} }', '14: s.id hides s.id'],
    ['redact: [text, type]', '{ a: {} }', '14: type hides type'],
    ["redact: ['*.id']", '{ a: {} }', '14: *.id hides s.id'],
    ["redact: ['*']", '{ a: {} }', '14: * hides s.id'],
    ['redact: [call]', '{ a: { pending: call } }', '14: call hides call'],
    ['', '{ a: { redact: [type] } }', '15: type hides type'],
    ['', '{ a: { pending: call.id, redact: [x, call] } }', '15: call hides call.id'],
  ])('%s, %s', (rule, types, expected) => {
    expect(found('redact-needed', policy(rule, types))).toEqual([expected]);
  });

  test.each([
    ['redact: [s.name, s.id.x, ids, "[*]"]', '{ a: {} }'],
    ['', '{ a: { redact: [call] }, b: { pending: call } }'],
  ])('but not by %s, %s', (rule, types) => {
    expect(found('redact-needed', policy(rule, types))).toEqual([]);
  });
});
