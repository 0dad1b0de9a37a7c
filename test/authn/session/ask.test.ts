/** A provider is asked once, however many wait and on however many replicas; and what is done while it is silent or away. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sessionAsk } from '../../../src/authn/session/ask.ts';
import { type RefreshOutcome, sessionRefresh } from '../../../src/authn/session/refresh.ts';
import type { SessionsOptions } from '../../../src/authn/session/sessions.ts';
import type { SessionStore } from '../../../src/authn/session/store.ts';
import { tokenSealer } from '../../../src/authn/session/tokens.ts';
import { memorySessions } from '../../../src/store/memory/sessions.ts';
import { connectRedis } from '../../../src/store/redis/connect.ts';
import { redisSessions } from '../../../src/store/redis/sessions.ts';
import { eventually } from '../../support/eventually.ts';
import { closeFirst, isOpen, newPath, open } from '../../support/open-sessions.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import {
  DUE,
  MINUTE,
  next,
  provider,
  row,
  type SetClock,
  START,
  setClock,
  testSealer,
} from '../../support/sessions.ts';
import { rejectionOf } from '../../support/token-issuer.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** Two replicas on one store of its own. */
const replicas = {
  SQLite: async (options: Partial<SessionsOptions>, clock: SetClock) => {
    const path = newPath();
    return [open({ path, ...options, now: clock.now }), open({ path, ...options, now: clock.now })] as const;
  },
  Redis: async (options: Partial<SessionsOptions>, clock: SetClock) => {
    const keyPrefix = `${randomUUID()}:`;
    const one = async () => {
      const connection = connectRedis({ url: redis.url, keyPrefix });
      await connection.settled();
      const opened = open({ ...options, store: redisSessions({ connection, now: clock.now }), now: clock.now });
      closeFirst(() => connection.close());
      return opened;
    };
    return [await one(), await one()] as const;
  },
};

describe.each(['SQLite', 'Redis'] as const)('on two replicas over one %s', (kind) => {
  test('a thousand requests that arrive together ask the provider once, and see one answer', async () => {
    const clock = setClock();
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<RefreshOutcome>();
    const { shown, refresh } = provider(() => {
      asked.resolve();
      return answer.promise;
    });
    const [one, other] = await replicas[kind]({ refresh }, clock);
    const { value } = await one.sessions.begin(DUE);
    await other.sessions.principalOf(value);
    clock.forward(MINUTE);
    const requests = Array.from({ length: 1000 }, (_, index) => [one, other][index % 2]?.sessions.principalOf(value));
    await asked.promise;
    answer.resolve(next({ claims: { sub: 'ann', roles: ['admin'] } }));
    const principals = await Promise.all(requests);
    expect(shown).toEqual(['refresh-0']);
    for (const principal of principals) expect(principal).toMatchObject({ owner: 'main|ann', roles: ['admin'] });
    // One object for all of a replica.
    expect(new Set(principals).size).toBe(2);
    clock.forward(2 * MINUTE);
    await Promise.all([one.sessions.principalOf(value), other.sessions.principalOf(value)]);
    expect(shown).toEqual(['refresh-0', 'refresh-1']);
  });

  test('a refusal ends the session on both', async () => {
    const clock = setClock();
    const { shown, refresh } = provider(() => 'refused');
    const [one, other] = await replicas[kind]({ refresh }, clock);
    const { value, session } = await one.sessions.begin(DUE);
    await other.sessions.principalOf(value);
    clock.forward(MINUTE);
    const requests = [one, other].flatMap(({ sessions }) => [sessions.principalOf(value), sessions.principalOf(value)]);
    expect(await Promise.all(requests)).toEqual([undefined, undefined, undefined, undefined]);
    expect(shown).toEqual(['refresh-0']);
    expect([...one.sessions.revoked, ...other.sessions.revoked]).toEqual([session.id]);
  });

  test('where the one that asked is gone, another asks when its time is over', async () => {
    const clock = setClock();
    const { shown, refresh } = provider(() => (shown.length === 1 ? new Promise(() => undefined) : next()));
    const [one, other] = await replicas[kind]({ refresh, waitMillis: 200 }, clock);
    const { value } = await one.sessions.begin(DUE);
    clock.forward(MINUTE);
    // Within the grace both let the session go on.
    expect([await isOpen(one.sessions, value), await isOpen(other.sessions, value)]).toEqual([true, true]);
    expect(shown).toHaveLength(1);
    clock.forward(MINUTE);
    expect(await isOpen(other.sessions, value)).toBe(true);
    expect(shown).toEqual(['refresh-0', 'refresh-0']);
  });
});

describe('a provider that is away', () => {
  const GRACE = MINUTE;

  test('lets sessions go on for the grace, is asked every five seconds, and then is a 503 until it is back', async () => {
    let away = true;
    const { shown, refresh } = provider(() => {
      if (away) throw new Error('ECONNREFUSED');
      return next({ refreshAtMillis: START + 9 * MINUTE });
    });
    const notices: string[] = [];
    const { clock, sessions } = open({ refresh, notice: ({ kind, detail }) => notices.push(`${kind} ${detail}`) });
    const { value } = await sessions.begin(DUE);
    clock.forward(MINUTE);
    for (let second = 0; second < GRACE / 1000; second += 1) {
      const principal = await sessions.principalOf(value);
      expect(principal?.expiresAtMillis).toBeGreaterThan(clock.now());
      expect(principal?.expiresAtMillis).toBeLessThanOrEqual(START + MINUTE + GRACE);
      clock.forward(1000);
    }
    expect(shown).toHaveLength(GRACE / 5000);
    for (let each = 0; each < 10; each += 1) {
      const refused = await rejectionOf(() => sessions.principalOf(value));
      expect(refused).toMatchObject({ reason: 'provider-unavailable', status: 503, headers: ['Retry-After', '5'] });
    }
    expect(shown).toHaveLength(GRACE / 5000 + 1);
    away = false;
    clock.forward(5000);
    expect(await isOpen(sessions, value)).toBe(true);
    expect(notices).toEqual([
      expect.stringMatching(/^provider-away main: .*ECONNREFUSED/),
      'provider-back main: it can be asked again',
    ]);
  });

  test('that is silent is waited for within a bound, once; its late answer counts', async () => {
    const answer = Promise.withResolvers<RefreshOutcome>();
    const { shown, refresh } = provider(() => answer.promise);
    const { clock, sessions, store } = open({ refresh, waitMillis: 100 });
    const { value } = await sessions.begin(DUE);
    clock.forward(MINUTE);
    const before = performance.now();
    expect(await isOpen(sessions, value)).toBe(true);
    expect(performance.now() - before).toBeLessThan(5000);
    clock.forward(5000);
    expect(await isOpen(sessions, value)).toBe(true);
    answer.resolve(next());
    await eventually(async () => (await store.find({ issuer: 'main', user: 'ann' }))[0]?.session.version === 1);
    clock.forward(5000);
    expect(await sessions.principalOf(value)).toMatchObject({ expiresAtMillis: START + 3 * MINUTE });
    expect(shown).toEqual(['refresh-0']);
  });
});

/** What asks, without what remembers, on a store in which one session is due. */
const asker = async (answer: () => RefreshOutcome | Promise<RefreshOutcome>, changed: Partial<SessionStore> = {}) => {
  const clock = setClock();
  const store = memorySessions(clock.now);
  const { digest, session } = row({
    refreshAtMillis: START,
    sealedTokens: tokenSealer(testSealer()).seal('s', { refreshToken: 'refresh-0', idToken: undefined }),
    id: 's',
  });
  await store.insert(digest, session);
  const { refresh, shown } = provider(answer);
  const personIn = () => ({ user: 'ann', roles: [], tenant: undefined });
  const refreshing = sessionRefresh({
    ...{ store: { ...store, ...changed }, tokens: tokenSealer(testSealer()), refresh, personIn, now: clock.now },
  });
  return { clock, store, digest, session, shown, ...sessionAsk({ store, refresh: refreshing, now: clock.now }) };
};

test('whoever asks at one time gets one answer', async () => {
  const { ask, digest, session, shown } = await asker(() => next());
  const verdicts = await Promise.all(Array.from({ length: 10 }, () => ask(digest, session)));
  expect(new Set(verdicts).size).toBe(1);
  expect(verdicts[0]).toMatchObject({ is: 'on', session: { version: 1 } });
  expect(shown).toHaveLength(1);
});

test('who could not ask gives the right back: another may', async () => {
  const { ask, digest, session, store } = await asker(() => Promise.reject(new Error('away')));
  expect(await ask(digest, session)).toMatchObject({ is: 'unknown', askAgainAtMillis: START + 5000 });
  expect(await store.lease(digest, 'another', START + MINUTE)).toBe(true);
});

test('what was given and not kept is worth nothing once another replica kept a later answer', async () => {
  const replace = () => Promise.reject(new Error('away'));
  const { ask, digest, session, shown, store } = await asker(() => next(), { replace });
  await expect(ask(digest, session)).rejects.toThrow('away');
  const later = { ...session, version: 1 };
  await store.replace(digest, later);
  expect(await ask(digest, session)).toEqual({ is: 'on', session: later });
  await expect(ask(digest, later)).rejects.toThrow('away');
  expect(shown).toHaveLength(2);
});

test('asking ends with its sessions: who waits for another replica waits no longer', async () => {
  const { ask, close, digest, session, shown, store } = await asker(() => next());
  await store.lease(digest, 'another', START + MINUTE);
  const waiting = ask(digest, session);
  close();
  expect(await waiting).toMatchObject({ is: 'unknown' });
  expect(shown).toEqual([]);
});
