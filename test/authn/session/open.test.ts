import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../../src/authn/session/ask.ts';
import { nearSessions } from '../../../src/authn/session/near.ts';
import { type SessionOpenOptions, sessionOpen } from '../../../src/authn/session/open.ts';
import { memorySessions } from '../../../src/store/memory/sessions.ts';
import { row, START, setClock } from '../../support/sessions.ts';
import { rejectionOf } from '../../support/token-issuer.ts';

const scene = async (verdict: Verdict | undefined, options: Partial<SessionOpenOptions> = {}) => {
  const clock = setClock();
  const store = memorySessions(clock.now);
  const one = row({ refreshAtMillis: verdict && START });
  await store.insert(one.digest, one.session);
  const times = { idleMillis: 600_000, nearMillis: 5000, touchMillis: 60_000 };
  const near = nearSessions({ times, maxEntries: 10, touch: store.touch, now: clock.now });
  const ended: string[] = [];
  const notices: string[] = [];
  const opening = sessionOpen({
    store,
    near,
    asking: {
      async ask() {
        if (verdict === undefined) throw new Error('nobody was to be asked');
        return verdict;
      },
    },
    terms: () => ({ accepts: () => true, graceMillis: 10_000 }),
    end: async (digest, _session, why) => void ended.push(`${digest} ${why}`),
    now: clock.now,
    notice: ({ kind }) => notices.push(kind),
    ...options,
  });
  return { clock, store, near, opening, ended, notices, ...one };
};

const { session } = row();

describe('opens', () => {
  test('what is there, without asking anybody before it is due', async () => {
    const { opening, digest, near } = await scene(undefined);
    const principal = await opening.open(digest);
    expect(principal).toMatchObject({ owner: 'main|ann' });
    expect(near.recall(digest)).toBe(principal);
  });

  test('what the provider let go on, as it is then', async () => {
    const on = { ...session, roles: ['viewer'], refreshAtMillis: START + 9000 };
    const { opening, digest } = await scene({ is: 'on', session: on });
    expect(await opening.open(digest)).toMatchObject({ roles: ['viewer'], expiresAtMillis: START + 9000 });
  });

  test('what the provider cannot tell of, until it is asked again and within the grace', async () => {
    const { opening, digest, clock } = await scene({ is: 'unknown', askAgainAtMillis: START + 4000, detail: 'x' });
    expect(await opening.open(digest)).toMatchObject({ expiresAtMillis: START + 4000 });
    clock.forward(10_000);
    expect(await rejectionOf(() => opening.open(digest))).toMatchObject({ reason: 'provider-unavailable' });
  });
});

describe('opens to nothing', () => {
  test.each<[string, Verdict]>([
    ['is gone', { is: 'gone' }],
    ['goes on, but has ended by its own times', { is: 'on', session: { ...session, endsAtMillis: START } }],
    ['goes on, but was not used', { is: 'on', session: { ...session, usedAtMillis: START - 600_000 } }],
  ])('what %s', async (_, verdict) => {
    const { opening, digest, near, ended } = await scene(verdict);
    // So that it is not the use of another row that counts.
    near.forget(digest);
    expect(await opening.open(digest)).toBeUndefined();
    expect([near.size, ended]).toEqual([0, []]);
  });

  test('what may not go on, which is ended', async () => {
    const { opening, digest, near, ended } = await scene({ is: 'over', session, detail: 'refused' });
    expect(await opening.open(digest)).toBeUndefined();
    expect([near.size, ended]).toEqual([0, [`${digest} refused`]]);
  });

  test('what is not accepted any more, or of an issuer without a login; it is not ended', async () => {
    for (const terms of [() => undefined, () => ({ accepts: () => false, graceMillis: 0 })]) {
      const { opening, digest, ended } = await scene(undefined, { terms });
      expect([await opening.open(digest), ended]).toEqual([undefined, []]);
    }
  });
});

test('what was spoilt while it was read is not remembered, and who comes later has it read again', async () => {
  const { opening, digest, near } = await scene(undefined);
  const late = opening.open(digest);
  opening.spoil(digest);
  const later = opening.open(digest);
  expect(await late).toBeUndefined();
  expect(await later).toMatchObject({ owner: 'main|ann' });
  expect(near.size).toBe(1);
});

test('that the store or the provider is away is told once, and once that it is back', async () => {
  const state = { broken: true, verdict: { is: 'unknown', askAgainAtMillis: START + 1000, detail: 'x' } as Verdict };
  const inner = row({ refreshAtMillis: START });
  const read = async () => {
    if (state.broken) throw new Error('away');
    return inner.session;
  };
  const { opening, notices } = await scene(undefined, { store: { read }, asking: { ask: async () => state.verdict } });
  for (let each = 0; each < 3; each += 1) await rejectionOf(() => opening.open('d'));
  expect(notices).toEqual(['sessions-unreadable']);
  state.broken = false;
  for (let each = 0; each < 3; each += 1) await opening.open('d');
  expect(notices.slice(1)).toEqual(['sessions-readable', 'provider-away']);
  state.verdict = { is: 'on', session: { ...inner.session, refreshAtMillis: undefined } };
  for (let each = 0; each < 3; each += 1) await opening.open('d');
  expect(notices.slice(3)).toEqual(['provider-back']);
});
