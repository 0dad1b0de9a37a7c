import { expect, test } from 'vitest';
import type { EventRule } from '../../src/model/event.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import { bare } from '../../src/realtime/bare.ts';
import { canvas, session, sessionUpdate, update } from '../support/session-events.ts';

test('an event keeps whose it is and its type, and nothing else, and its payload is the same still', () => {
  const event = { ...update('s1', 'error', { error: 'a secret', canvas_id: 'c1' }), attachments: [Buffer.from('x')] };
  const kept = bare(event, sessionUpdate);
  expect(kept).toEqual({
    name: 'session_update',
    payload: { session_id: 's1', canvas_id: 'c1', type: 'error' },
  });
  expect(kept.payload).toBe(event.payload);
});

test('places inside of objects and lists are kept without their neighbours', () => {
  const rule: EventRule = {
    ...sessionUpdate,
    owner: { kind: session, path: parseFieldPath('run.session') },
    agree: [
      { kind: canvas, path: parseFieldPath('on[*].canvas') },
      { kind: canvas, path: parseFieldPath('by.*.canvas') },
    ],
    typePath: parseFieldPath('run.type'),
  };
  const payload = {
    run: { session: 's1', type: 'end', secret: 1 },
    on: [{ canvas: 'c1', secret: 2 }, { canvas: 'c2' }, 'secret'],
    by: { a: { canvas: 'c3', secret: 3 }, b: 'secret' },
    secret: 4,
  };
  expect(bare({ name: 'x', payload }, rule).payload).toEqual({
    run: { session: 's1', type: 'end' },
    on: [{ canvas: 'c1' }, { canvas: 'c2' }, null],
    by: { a: { canvas: 'c3' }, b: null },
  });
});

test('a key that names a prototype is a key like any other', () => {
  const payload = JSON.parse('{"session_id":"s1","type":"done","__proto__":{"session_id":"s2"}}');
  const kept = bare({ name: 'x', payload }, sessionUpdate).payload;
  expect([kept, Object.getPrototypeOf(kept)]).toEqual([{ session_id: 's1', type: 'done' }, Object.prototype]);
});
