import { describe, expect, test } from 'vitest';
import type { Refresh, RefreshOutcome } from '../../../src/authn/session/refresh.ts';
import type { SessionsOptions } from '../../../src/authn/session/sessions.ts';
import type { SessionStore } from '../../../src/authn/session/store.ts';
import { memorySessions } from '../../../src/store/memory/sessions.ts';
import { breakableStore, isOpen, open } from '../../support/open-sessions.ts';
import { DUE, goesOn, MINUTE, next, provider, START } from '../../support/sessions.ts';

describe('an answer', () => {
  const answered = async (outcome: RefreshOutcome, options: Partial<SessionsOptions> = {}) => {
    const { shown, refresh } = provider(() => outcome);
    const notices: string[] = [];
    const opened = open({ refresh, notice: ({ kind, detail }) => notices.push(`${kind} ${detail}`), ...options });
    const begun = await opened.sessions.begin(DUE);
    opened.clock.forward(MINUTE - 1);
    expect(await opened.sessions.principalOf(begun.value)).toMatchObject({ expiresAtMillis: START + MINUTE });
    expect(shown).toEqual([]);
    opened.clock.forward(1);
    return { ...opened, ...begun, shown, notices, principal: await opened.sessions.principalOf(begun.value) };
  };

  test('changes roles and tenant, and never the user, the id or the end of the session', async () => {
    const { principal, session } = await answered(next({ claims: { sub: 'ann', roles: ['viewer'] } }));
    expect(principal).toMatchObject({
      ...{ owner: 'main|ann', roles: ['viewer'], sessionId: session.id },
      ...{ issuedAtMillis: START, expiresAtMillis: START + 3 * MINUTE },
    });
  });

  test('without claims leaves the user as it was; without a time the provider is not asked again', async () => {
    const { principal, sessions, value, clock, shown } = await answered(goesOn());
    expect(principal).toMatchObject({ roles: ['editor'] });
    for (let minute = 0; minute < 30; minute += 1) {
      clock.forward(MINUTE);
      expect(await isOpen(sessions, value)).toBe(true);
    }
    expect(shown).toHaveLength(1);
  });

  test('without a refresh token leaves the one before good; with one the one before is not shown again', async () => {
    for (const [refreshToken, expected] of [
      [undefined, 'refresh-0'],
      ['refresh-1', 'refresh-1'],
    ]) {
      const { sessions, value, clock, shown } = await answered(next({ refreshToken }));
      clock.forward(2 * MINUTE);
      await sessions.principalOf(value);
      expect(shown).toEqual(['refresh-0', expected]);
      expect(await sessions.end(value)).toMatchObject({ tokens: { refreshToken: expected, idToken: 'id-0' } });
    }
  });

  test.each<[string, RefreshOutcome]>([
    ['is a refusal', 'refused'],
    ['names another user', next({ claims: { sub: 'bob', roles: ['editor'] } })],
    ['names nobody', next({ claims: {} })],
  ])('that %s ends the session', async (_, outcome) => {
    const { principal, session, sessions, store, value, notices } = await answered(outcome);
    expect(principal).toBeUndefined();
    expect(sessions.revoked).toEqual([session.id]);
    expect(await store.find({ issuer: 'main', user: 'ann' })).toEqual([]);
    expect(await isOpen(sessions, value)).toBe(false);
    expect(notices).toEqual([expect.stringMatching(new RegExp(`^session-ended ${session.id}: `))]);
    expect(notices.join()).not.toContain('refresh-');
  });

  test('that has run out already does not have the provider asked at each request', async () => {
    const { sessions, value, shown } = await answered(next({ refreshAtMillis: START }));
    for (let each = 0; each < 10; each += 1) await sessions.principalOf(value);
    expect(shown).toHaveLength(1);
  });

  test('is waited for by prolong too, which goes on with what came of it', async () => {
    const { refresh, shown } = provider(() => next({ claims: { sub: 'ann', roles: ['viewer'] } }));
    const { clock, sessions } = open({ refresh });
    const { principal, value } = await sessions.begin(DUE);
    clock.forward(MINUTE);
    const prolonged = await sessions.prolong(principal);
    expect(prolonged).toMatchObject({ roles: ['viewer'], expiresAtMillis: START + 3 * MINUTE });
    expect(sessions.principalOf(value)).toBe(prolonged);
    expect(shown).toHaveLength(1);
  });

  test('that comes when the session has ended meanwhile does not bring it back', async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<RefreshOutcome>();
    const refresh: Refresh = () => {
      asked.resolve();
      return answer.promise;
    };
    const { clock, sessions, store } = open({ refresh });
    const { value } = await sessions.begin(DUE);
    clock.forward(MINUTE);
    const waiting = sessions.principalOf(value);
    await asked.promise;
    await sessions.end(value);
    answer.resolve(next());
    expect(await waiting).toBeUndefined();
    expect(await isOpen(sessions, value)).toBe(false);
    expect(await store.find({ issuer: 'main', user: 'ann' })).toEqual([]);
  });
});

describe('a session without a refresh token', () => {
  test('ends when the provider would have to be asked', async () => {
    const { shown, refresh } = provider(() => next());
    const { clock, sessions } = open({ refresh });
    const { value, session } = await sessions.begin({ ...DUE, tokens: { refreshToken: undefined, idToken: 'id-0' } });
    clock.forward(MINUTE - 1);
    expect(await isOpen(sessions, value)).toBe(true);
    clock.forward(1);
    expect(await isOpen(sessions, value)).toBe(false);
    expect([shown, sessions.revoked]).toEqual([[], [session.id]]);
  });
});

describe('what the provider gave and the store did not take', () => {
  test('is kept here, and written when the store is back: the refresh token before is not shown again', async () => {
    const { state, store } = breakableStore();
    const { shown, refresh } = provider(() => {
      state.broken = true;
      return next();
    });
    const { clock, sessions } = open({ store, refresh });
    const { value } = await sessions.begin(DUE);
    clock.forward(MINUTE);
    expect(await isOpen(sessions, value)).toBe(true);
    clock.forward(1000);
    expect(await isOpen(sessions, value)).toBe(true);
    state.broken = false;
    clock.forward(1000);
    expect(await sessions.principalOf(value)).toMatchObject({ expiresAtMillis: START + 3 * MINUTE });
    expect(shown).toEqual(['refresh-0']);
    clock.forward(MINUTE);
    expect(await sessions.end(value)).toMatchObject({ tokens: { refreshToken: 'refresh-1' } });
  });

  test('was written all the same where only the reply was lost', async () => {
    const inner = memorySessions(() => START);
    let lose = true;
    const store: SessionStore = {
      ...inner,
      async replace(digest, session) {
        const replaced = await inner.replace(digest, session);
        if (lose) throw new Error('no reply');
        return replaced;
      },
    };
    const { shown, refresh } = provider(() => next());
    const { clock, sessions } = open({ store, refresh });
    const { value } = await sessions.begin(DUE);
    clock.forward(MINUTE);
    expect(await isOpen(sessions, value)).toBe(true);
    lose = false;
    clock.forward(1000);
    expect(await sessions.principalOf(value)).toMatchObject({ expiresAtMillis: START + 3 * MINUTE });
    expect(shown).toEqual(['refresh-0']);
  });
});
