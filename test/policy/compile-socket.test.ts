import { describe, expect, test } from 'vitest';
import type { SocketRule } from '../../src/model/event.ts';
import { fieldPathText } from '../../src/model/field-path.ts';
import { jaazPolicy } from '../support/policies.ts';
import { faultsOf } from '../support/stages.ts';

const socket = (deliver: string): string => `version: 1
name: p
resources: { session: { id: '[a-z]{1,9}' }, file: { id: '[a-z]{1,9}' } }
routes: [{ id: a, match: GET /a }]
sockets:
  - { path: /s/, protocol: socket.io, token: [auth], deliver: { update: ${deliver} } }
`;

test('the shipped policy delivers one event, by its session, and learns from the server’s own types only', () => {
  const [rule] = jaazPolicy().sockets as readonly [SocketRule];
  const update = rule.deliver.get('session_update');
  expect([...rule.credentials]).toEqual(['auth', 'header']);
  expect([...rule.accept]).toEqual([['ping', 'pong']]);
  expect(update?.owner.kind.name).toBe('session');
  expect(update?.agree.map(({ kind, path }) => [kind.name, fieldPathText(path)])).toEqual([['canvas', 'canvas_id']]);
  const learning = [...(update?.types ?? [])].filter(([, { learn }]) => learn.length > 0).map(([type]) => type);
  expect(learning).toEqual(['image_generated', 'video_generated']);
  const ending = [...(update?.types ?? [])].filter(([, { endsRun }]) => endsRun).map(([type]) => type);
  expect(ending).toEqual(['error', 'done']);
});

describe('a fault:', () => {
  test.each([
    ['no owner', '{ owner: {}, type: type, types: {} }', 'an event has one owner (found 0, expected { kind: field })'],
    [
      'two owners',
      '{ owner: { session: a, file: b }, type: type, types: {} }',
      'an event has one owner (found 2, expected { kind: field })',
    ],
    [
      'an unknown owner',
      '{ owner: { sessions: a }, type: type, types: {} }',
      'this resource is not declared (found sessions, expected session)',
    ],
    [
      'an unknown kind that agrees',
      '{ owner: { session: a }, agree: { fil: b }, type: t, types: {} }',
      'not declared (found fil',
    ],
    [
      'a place that is none',
      '{ owner: { session: a..b }, type: t, types: {} }',
      'not a place in a JSON value (found a..b',
    ],
    ['a type that is none', "{ owner: { session: a }, type: '.', types: {} }", 'not a place in a JSON value (found .'],
    [
      'an unknown kind that is learned',
      '{ owner: { session: a }, type: t, types: { x: { learn: { files: [a] } } } }',
      'this resource is not declared (found files, expected file)',
    ],
  ])('%s', (_name, deliver, words) => {
    const faults = faultsOf(socket(deliver));
    expect(faults.some((text) => text.startsWith('p.yaml:6:') && text.includes(words))).toBe(true);
  });
});
