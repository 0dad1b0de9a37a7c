import { describe, expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import type { Verdict } from '../../src/pipeline/message-line.ts';
import { messageLine, wordsOf } from '../support/message-line.ts';

const mine = { kind: 'say', session_id: 'session-ann', text: 'x' };
const opens = { kind: 'open', canvas_id: 'canvas-ann', session_id: 'new-1' };

const settle = (verdict: Verdict, mayHaveLeft: boolean): void => {
  if (verdict.kind === 'pass') verdict.settle?.(mayHaveLeft);
};

describe('a message of a client', () => {
  test('is written anew', async () => {
    const { sent } = await messageLine();
    expect(wordsOf(await sent('{"kind":"say", "session_id":"session-ann", "text":"\\u0078"}'))).toBe(
      JSON.stringify(mine),
    );
  });

  test('is refused, and the audit is told of it', async () => {
    const { sent, told, counted } = await messageLine();
    expect(wordsOf(await sent({ ...mine, session_id: 'session-bob' }))).toBe('answer resource-hidden');
    expect(told).toMatchObject([
      {
        outcome: 'refused',
        rejection: { reason: 'resource-hidden', message: 'session:session-bob is another owner’s' },
      },
    ]);
    expect(counted).toEqual(['refused resource-hidden']);
  });

  test('ends the connection when there have been too many of the kind', async () => {
    const { sent } = await messageLine();
    const verdicts: string[] = [];
    for (let n = 0; n < 3; n += 1) verdicts.push(wordsOf(await sent({ kind: 'nonsense' })));
    expect(verdicts).toEqual(['answer event-refused', 'answer event-refused', 'end event-refused']);
  });

  test('is not held against its client where the fault is ours', async () => {
    const { sent, told, reported } = await messageLine({
      stages: { ownersOf: () => Promise.reject(new Rejection('ledger-unavailable', 'down')) },
    });
    for (let n = 0; n < 5; n += 1) expect(wordsOf(await sent(mine))).toBe('answer ledger-unavailable');
    expect(told.every(({ outcome }) => outcome === 'failed')).toBe(true);
    expect(reported).toEqual([]);
  });

  test('is refused when a stage fails in a way that nobody foresaw, and that is reported', async () => {
    const { sent, told, reported } = await messageLine({
      stages: {
        conform: () => {
          throw new TypeError('boom');
        },
      },
    });
    expect(wordsOf(await sent(mine))).toBe('answer internal-error');
    expect([told[0]?.outcome, reported.length]).toEqual(['failed', 1]);
  });

  test('is nobody’s without a principal, and names nothing then', async () => {
    const { sent } = await messageLine({ principal: () => undefined });
    expect(wordsOf(await sent(mine))).toBe('answer token-missing');
    expect(wordsOf(await sent({ kind: 'ping' }))).toBe('{"kind":"ping"}');
  });
});

describe('a claim', () => {
  test('stays once its message may have left, and is given back when it certainly has not', async () => {
    const { sent, ledger } = await messageLine();
    const ref = { kind: 'session', id: 'new-1' };
    settle(await sent(opens), false);
    await new Promise(setImmediate);
    expect(await ledger.find([ref])).toEqual([undefined]);
    settle(await sent(opens), true);
    await new Promise(setImmediate);
    expect(await ledger.find([ref])).toMatchObject([{ owner: 'test|ann', state: 'pending' }]);
  });

  test('of what the server has already is refused', async () => {
    const { sent, ledger } = await messageLine({ presence: true });
    expect(wordsOf(await sent(opens))).toBe('answer resource-taken');
    expect(await ledger.find([{ kind: 'session', id: 'new-1' }])).toEqual([undefined]);
  });

  test('below another’s canvas is refused, and nothing is claimed', async () => {
    const { sent, ledger } = await messageLine();
    expect(wordsOf(await sent({ ...opens, canvas_id: 'canvas-bob' }))).toBe('answer resource-hidden');
    expect(await ledger.find([{ kind: 'session', id: 'new-1' }])).toEqual([undefined]);
  });

  test('that cannot be settled is reported, and stays', async () => {
    const { sent, reported } = await messageLine({
      stages: {
        claims: {
          take: async (wanted) => wanted.map(({ ref }) => ref),
          settle: () => Promise.reject(new Error('down')),
        },
      },
    });
    settle(await sent(opens), true);
    await new Promise(setImmediate);
    expect(reported).toMatchObject([{ message: 'down' }]);
  });
});

describe('where the policy is not in effect', () => {
  test('a message passes as it came, and what would have been refused is told', async () => {
    const { sent, told, counted } = await messageLine({ mode: 'shadow' });
    expect(wordsOf(await sent(' {"kind":"nonsense"} '))).toBe(' {"kind":"nonsense"} ');
    expect(wordsOf(await sent(Buffer.from([1])))).toBe('bytes');
    expect(wordsOf(await sent(` ${JSON.stringify(mine)}`))).toBe(` ${JSON.stringify(mine)}`);
    expect(told.map(({ outcome, findings }) => [outcome, findings])).toEqual([
      ['allowed', [{ would: 'deny', reason: 'event-refused', detail: 'message "nonsense"' }]],
      ['allowed', [{ would: 'deny', reason: 'body-type', detail: 'a binary message' }]],
    ]);
    expect(counted).toEqual(['would-refuse event-refused', 'would-refuse body-type', 'unfiltered none']);
  });

  test('nothing is claimed of a kind of which nobody can tell what was there before', async () => {
    const { sent, ledger } = await messageLine({ mode: 'shadow' });
    settle(await sent(opens), true);
    expect(await ledger.find([{ kind: 'session', id: 'new-1' }])).toEqual([undefined]);
  });

  test('nothing is judged where it is off', async () => {
    const { sent, told, counted } = await messageLine({ mode: 'off' });
    expect(wordsOf(await sent('no json'))).toBe('no json');
    expect([told, counted]).toEqual([[], ['unfiltered none']]);
  });
});
