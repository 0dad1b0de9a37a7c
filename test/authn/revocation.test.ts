import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  openRevocations,
  type RevocationNotice,
  type RevocationStore,
  type Revocations,
} from '../../src/authn/revocation.ts';
import type { Revocation } from '../../src/model/revocation.ts';
import { memoryRevocations } from '../../src/store/memory/revocations.ts';
import { eventually } from '../support/eventually.ts';
import { NO_TERMS, NOON_MILLIS, ofBefore, ofToken, ofUser, principalOf, revocation } from '../support/revocations.ts';
import { rejectionOf } from '../support/token-issuer.ts';

const opened: Revocations[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const one of opened.splice(0)) one.close();
});

interface Shaky extends RevocationStore {
  /** What reads and writes reject with from now on; undefined: they do not. */
  fault: Error | undefined;
  /** Another process has changed something. */
  news(): void;
  reads: number;
  /** Readings wait for this. */
  gate: Promise<void>;
}

const shaky = (store: RevocationStore = memoryRevocations(() => NOON_MILLIS)): Shaky => {
  const listeners: Array<() => void> = [];
  const self: Shaky = {
    fault: undefined,
    reads: 0,
    gate: Promise.resolve(),
    news() {
      for (const listener of listeners) listener();
    },
    async all() {
      self.reads += 1;
      if (self.fault) throw self.fault;
      const all = await store.all();
      await self.gate;
      return all;
    },
    async add(one) {
      if (self.fault) throw self.fault;
      await store.add(one);
    },
    async remove(id) {
      if (self.fault) throw self.fault;
      return store.remove(id);
    },
    purge: () => store.purge(),
    onChange: (listener) => void listeners.push(listener),
  };
  return self;
};

const open = async (store: RevocationStore, now = () => NOON_MILLIS) => {
  const notices: RevocationNotice['kind'][] = [];
  const revocations = await openRevocations({ store, now, notice: ({ kind }) => notices.push(kind) });
  opened.push(revocations);
  const since: number[] = [];
  revocations.onRevoked((sinceMillis) => since.push(sinceMillis));
  return { revocations, notices, since };
};

const alice = principalOf({ sub: 'alice', jti: 't1' });

describe('what another process revokes while this one starts', () => {
  test.each<[string, (store: Shaky, revoke: () => Promise<void>) => void]>([
    [
      'while the first reading is under way',
      (store, revoke) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        store.gate = promise;
        setImmediate(() => void revoke().then(resolve));
      },
    ],
    [
      'after the first reading',
      (store, revoke) => {
        store.purge = revoke;
      },
    ],
  ])('%s is known', async (_, arrange) => {
    const inner = memoryRevocations(() => NOON_MILLIS);
    const store = shaky(inner);
    arrange(store, async () => {
      await inner.add(revocation(ofUser('alice')));
      store.news();
    });
    const { revocations } = await open(store);
    await eventually(() => revocations.revokes(alice) === 'token-revoked');
  });
});

describe('a revocation', () => {
  test('holds from when it is made until it is taken back', async () => {
    const { revocations } = await open(shaky());
    expect(revocations.revokes(alice)).toBeUndefined();
    const { revocation: made } = await revocations.add({ ...ofUser('alice'), ...NO_TERMS, note: 'left' });
    expect(revocations.revokes(alice)).toBe('token-revoked');
    expect(revocations.list()).toEqual([
      {
        ...ofUser('alice'),
        id: expect.stringMatching(/^[0-9a-f]{12}$/),
        madeAtMillis: NOON_MILLIS,
        untilMillis: undefined,
        note: 'left',
      },
    ]);
    expect(await revocations.remove(made.id)).toEqual(made);
    expect(revocations.revokes(alice)).toBeUndefined();
    expect(await revocations.remove(made.id)).toBeUndefined();
  });

  test('that is taken back leaves another one of the same user in effect', async () => {
    const { revocations } = await open(shaky());
    const { revocation: first } = await revocations.add({ ...ofUser('alice'), ...NO_TERMS });
    await revocations.add({ ...ofToken('t1'), ...NO_TERMS });
    await revocations.remove(first.id);
    expect(revocations.revokes(alice)).toBe('token-revoked');
    expect(revocations.revokes(principalOf({ sub: 'alice', jti: 't2' }))).toBeUndefined();
  });

  test('tells whoever listens since when, and adds up what they ended', async () => {
    const { revocations, since } = await open(shaky());
    revocations.onRevoked(() => 3);
    const { ended } = await revocations.add({ ...ofUser('alice'), ...NO_TERMS });
    // `push` above returned 1.
    expect([ended, since]).toEqual([4, [NOON_MILLIS]]);
  });

  test('is in effect before anybody is told', async () => {
    const { revocations } = await open(shaky());
    const seen: unknown[] = [];
    revocations.onRevoked(() => seen.push(revocations.revokes(alice)));
    await revocations.add({ ...ofUser('alice'), ...NO_TERMS });
    expect(seen).toEqual(['token-revoked']);
  });

  test('that cannot be kept is refused with 503, and is not in effect', async () => {
    const store = shaky();
    const { revocations, since } = await open(store);
    store.fault = new Error('disk full');
    const adding = () => revocations.add({ ...ofUser('alice'), ...NO_TERMS });
    expect(await rejectionOf(adding)).toMatchObject({ reason: 'revocations-unavailable', status: 503 });
    expect([revocations.revokes(alice), revocations.list(), since]).toEqual([undefined, [], []]);
  });

  test('that cannot be removed stays in effect', async () => {
    const store = shaky();
    const { revocations } = await open(store);
    const { revocation: made } = await revocations.add({ ...ofUser('alice'), ...NO_TERMS });
    store.fault = new Error('disk full');
    expect(await rejectionOf(() => revocations.remove(made.id))).toMatchObject({ reason: 'revocations-unavailable' });
    expect(revocations.revokes(alice)).toBe('token-revoked');
  });
});

describe('the time until which it holds', () => {
  test('ends it by itself, and its row goes too', async () => {
    vi.useFakeTimers({ now: NOON_MILLIS });
    const store = memoryRevocations(Date.now);
    const { revocations } = await open(store, Date.now);
    await revocations.add({ ...ofUser('alice'), ...NO_TERMS, untilMillis: NOON_MILLIS + 5000 });
    await revocations.add({ ...ofUser('bob'), ...NO_TERMS, untilMillis: NOON_MILLIS + 9000 });
    await vi.advanceTimersByTimeAsync(4999);
    expect(revocations.revokes(alice)).toBe('token-revoked');
    await vi.advanceTimersByTimeAsync(1);
    expect(revocations.revokes(alice)).toBeUndefined();
    expect(revocations.list()).toMatchObject([{ user: 'bob' }]);
    vi.setSystemTime(NOON_MILLIS);
    expect(await store.all()).toMatchObject([{ user: 'bob' }]);
  });

  test('may be further away than a timer reaches', async () => {
    vi.useFakeTimers({ now: NOON_MILLIS });
    const { revocations } = await open(memoryRevocations(Date.now), Date.now);
    const untilMillis = NOON_MILLIS + 40 * 86_400_000;
    await revocations.add({ ...ofUser('alice'), ...NO_TERMS, untilMillis });
    await vi.advanceTimersByTimeAsync(40 * 86_400_000 - 1);
    expect(revocations.revokes(alice)).toBe('token-revoked');
    await vi.advanceTimersByTimeAsync(1);
    expect(revocations.revokes(alice)).toBeUndefined();
  });

  test('keeps no timer once it is closed', async () => {
    vi.useFakeTimers({ now: NOON_MILLIS });
    const { revocations } = await open(memoryRevocations(Date.now), Date.now);
    await revocations.add({ ...ofUser('alice'), ...NO_TERMS, untilMillis: NOON_MILLIS + 5000 });
    expect(vi.getTimerCount()).toBe(1);
    revocations.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('what another process does', () => {
  test('is in effect, and told, as soon as it is read', async () => {
    const store = shaky();
    const { revocations, since } = await open(store);
    await store.add(revocation(ofUser('alice'), { madeAtMillis: NOON_MILLIS - 200 }));
    await store.add(revocation(ofBefore(0), { madeAtMillis: NOON_MILLIS - 100 }));
    store.news();
    await eventually(() => revocations.revokes(alice) === 'token-revoked');
    expect(since).toEqual([NOON_MILLIS - 200]);
  });

  test('is not told again when something else changes, nor when it is taken back', async () => {
    const store = shaky();
    const { revocations, since } = await open(store);
    const one = revocation(ofUser('alice'), { madeAtMillis: NOON_MILLIS - 200 });
    await store.add(one);
    store.news();
    await eventually(() => since.length === 1);
    await store.add(revocation(ofUser('bob'), { madeAtMillis: NOON_MILLIS - 100 }));
    store.news();
    await eventually(() => since.length === 2);
    await store.remove(one.id);
    store.news();
    await eventually(() => revocations.revokes(alice) === undefined);
    expect(since).toEqual([NOON_MILLIS - 200, NOON_MILLIS - 100]);
  });

  test('a hundred times in a row is read a few times, and the last of it is in effect', async () => {
    const store = shaky();
    const { revocations } = await open(store);
    const before = store.reads;
    for (let i = 0; i < 100; i += 1) {
      await store.add(revocation(ofUser(`user${i}`)));
      store.news();
    }
    await eventually(() => revocations.revokes(principalOf({ sub: 'user99' })) === 'token-revoked');
    expect(store.reads - before).toBeLessThan(10);
  });

  test('does not undo what was made here while it was read', async () => {
    const store = shaky();
    const { revocations } = await open(store);
    const { promise, resolve } = Promise.withResolvers<void>();
    store.gate = promise;
    store.news();
    await revocations.add({ ...ofUser('alice'), ...NO_TERMS });
    store.gate = Promise.resolve();
    const before = store.reads;
    resolve();
    await eventually(() => store.reads > before);
    expect(revocations.revokes(alice)).toBe('token-revoked');
  });

  test('does not bring back what was taken back here while it was read', async () => {
    const store = shaky();
    const { revocations, since } = await open(store);
    const { revocation: made } = await revocations.add({ ...ofUser('alice'), ...NO_TERMS });
    const { promise, resolve } = Promise.withResolvers<void>();
    store.gate = promise;
    store.news();
    await revocations.remove(made.id);
    store.gate = Promise.resolve();
    const before = store.reads;
    resolve();
    await eventually(() => store.reads > before);
    expect([revocations.revokes(alice), since.length]).toEqual([undefined, 1]);
  });

  test('that cannot be read leaves what was known, says so once, and is read when that is possible again', async () => {
    const store = shaky();
    await store.add(revocation(ofUser('alice')));
    const { revocations, notices } = await open(store);
    store.fault = new Error('disk I/O error');
    store.news();
    store.news();
    await eventually(() => !revocations.healthy());
    const before = store.reads;
    await eventually(() => store.reads > before + 1);
    expect([revocations.revokes(alice), notices]).toEqual(['token-revoked', ['revocations-unreadable']]);
    store.fault = undefined;
    await store.add(revocation(ofUser('bob')));
    // Nobody tells of it any more: what was told before is tried again.
    await eventually(() => revocations.healthy());
    expect(revocations.revokes(principalOf({ sub: 'bob' }))).toBe('token-revoked');
    expect(notices).toEqual(['revocations-unreadable', 'revocations-readable']);
  });
});

test('a gateway that cannot read them at its start does not start', async () => {
  const store = shaky();
  store.fault = new Error('disk I/O error');
  await expect(open(store)).rejects.toThrow('disk I/O error');
});

test('what was kept is in effect at the start, and nobody is told of it', async () => {
  const store = shaky();
  const kept: Revocation[] = [revocation(ofUser('alice'))];
  for (const one of kept) await store.add(one);
  const { revocations, since } = await open(store);
  expect([revocations.revokes(alice), revocations.list(), since]).toEqual(['token-revoked', kept, []]);
});
