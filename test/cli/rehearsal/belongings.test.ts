import { describe, expect, test } from 'vitest';
import type { OwnershipLedger } from '../../../src/authz/ownership.ts';
import { callsOf, ledgerOf, overlayOf } from '../../../src/cli/rehearsal/belongings.ts';
import { memoryLedger } from '../../../src/store/memory/ownership-ledger.ts';

const canvas = { kind: 'canvas', id: 'a' };
const session = { kind: 'session', id: 's' };
const claim = (ref: typeof canvas) => [{ ref, parent: undefined, verb: 'claim' as const }];

test('a ledger knows what it is told', async () => {
  const ledger = await ledgerOf([
    { ref: canvas, owner: 'alice' },
    { ref: session, owner: 'alice', deleted: true },
  ]);
  expect(await ledger.find([canvas, session, { kind: 'canvas', id: 'b' }])).toMatchObject([
    { owner: 'alice', state: 'owned' },
    { owner: 'alice', state: 'deleted' },
    undefined,
  ]);
});

test('calls wait as they were announced, however many, and an id that waits twice is answered in neither place', () => {
  const at = (place: typeof session, owner: string, call: string) => ({ place, owner, call });
  const other = { kind: 'session', id: 't' };
  const many = Array.from({ length: 200 }, (_, index) => at(session, 'alice', `c${index}`));
  const calls = callsOf([...many, at(session, 'alice', 'twin'), at(other, 'bob', 'twin')]);
  expect(calls.size).toBe(201);
  expect(calls.take(at(session, 'alice', 'c0'), 'r1')).toBe('taken');
  expect(calls.take(at(session, 'alice', 'twin'), 'r2')).toBe('collided');
});

describe('a ledger over a live one', () => {
  /** Fails when anything is written. */
  const readOnly = (live: OwnershipLedger) => ({ find: live.find, close: live.close });

  const living = async () => {
    const live = memoryLedger();
    await live.learn({ ref: canvas, parent: undefined, origin: 'admin' }, 'alice');
    await live.learn({ ref: session, parent: undefined, origin: 'admin' }, 'alice');
    await live.release(session, 'alice');
    await live.claim(claim({ kind: 'canvas', id: 'pending' }), 'alice', 'r1');
    return live;
  };

  test('tells what the live one does', async () => {
    const overlay = overlayOf(readOnly(await living()));
    expect(await overlay.find([canvas, session, { kind: 'canvas', id: 'pending' }])).toMatchObject([
      { owner: 'alice', state: 'owned' },
      { owner: 'alice', state: 'deleted' },
      { owner: 'alice', state: 'pending' },
    ]);
  });

  test('judges claims by what the live one knows', async () => {
    const overlay = overlayOf(readOnly(await living()));
    expect(await overlay.claim(claim(canvas), 'bob', 'r2')).toEqual({
      claimed: false,
      ref: canvas,
      because: 'foreign',
    });
    expect(await overlay.claim(claim(session), 'alice', 'r2')).toMatchObject({ claimed: false, because: 'deleted' });
    expect(await overlay.learn({ ref: canvas, parent: undefined, origin: 'response' }, 'bob')).toBe('conflict');
  });

  test('keeps to itself what it is made to write', async () => {
    const live = await living();
    const overlay = overlayOf(readOnly(live));
    const fresh = { kind: 'canvas', id: 'fresh' };
    expect(await overlay.claim(claim(fresh), 'bob', 'r2')).toMatchObject({ claimed: true });
    expect(await overlay.release(canvas, 'alice')).toEqual([canvas]);
    expect(await overlay.find([fresh, canvas])).toMatchObject([{ owner: 'bob' }, { state: 'deleted' }]);
    expect(await live.find([fresh, canvas])).toMatchObject([undefined, { state: 'owned' }]);
  });
});
