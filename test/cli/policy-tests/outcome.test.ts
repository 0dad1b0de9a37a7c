import { describe, expect, test } from 'vitest';
import { eventOutcome, requestOutcome } from '../../../src/cli/policy-tests/outcome.ts';
import type { Rehearsed } from '../../../src/cli/rehearsal/rehearsal.ts';

const rehearsed = (more: Partial<Rehearsed>) =>
  ({
    record: { reason: undefined, route: 'r', claims: [{ kind: 'canvas', id: 'a' }] },
    forwarded: undefined,
    releases: [{ kind: 'canvas', id: 'b' }],
    learned: [{ kind: 'file', id: 'c' }],
    shown: { status: 200, headers: { a: 'b' }, body: Buffer.from('{"x":1}'), whole: true },
    ...more,
  }) as unknown as Rehearsed;

describe('the outcome of a request', () => {
  test('is told in the words of a test file', () => {
    const forwarded = { method: 'POST', target: '/x', headers: ['A', '1'], body: Buffer.from('text') };
    expect(requestOutcome(rehearsed({ forwarded }))).toEqual({
      decision: 'allowed',
      route: 'r',
      forwarded: { target: 'POST /x', headers: { a: '1' }, text: 'text' },
      shown: { status: 200, headers: { a: 'b' }, json: { x: 1 } },
      claims: ['canvas:a'],
      releases: ['canvas:b'],
      learned: ['file:c'],
      would: [],
    });
  });

  test('says that nothing was forwarded, and what shadow mode found', () => {
    const record = { reason: 'route-unknown', claims: [], findings: [{ would: 'change', what: 'answer' }] };
    expect(requestOutcome(rehearsed({ record } as unknown as Partial<Rehearsed>))).toMatchObject({
      decision: 'route-unknown',
      route: null,
      forwarded: null,
      would: ['change answer'],
    });
  });
});

test('the outcome of an event says who heard what', () => {
  const delivered = [{ owner: 'users|alice', payload: { a: 1 } }];
  const ended = [{ kind: 'session', id: 's' }];
  const calls = { pending: ['c1'], settled: ['c2'], cancelled: ['POST /x'] };
  expect(
    eventOutcome({ delivered, dropped: undefined, stopped: 'run-unwatched', learned: [], ended, ...calls }),
  ).toEqual({
    heard: ['users|alice'],
    payload: { a: 1 },
    dropped: null,
    learned: [],
    ended: ['session:s'],
    stopped: 'run-unwatched',
    ...calls,
  });
  const silence = {
    delivered: [],
    stopped: undefined,
    learned: [],
    ended: [],
    pending: [],
    settled: [],
    cancelled: [],
  };
  expect(eventOutcome({ ...silence, dropped: 'unknown-owner' })).toMatchObject({
    heard: [],
    payload: null,
    dropped: 'unknown-owner',
    stopped: null,
  });
});
