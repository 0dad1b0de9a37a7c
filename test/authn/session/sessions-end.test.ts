/** How a session ends, and what becomes of it while its store is away. */
import { describe, expect, test } from 'vitest';
import { openRevocations } from '../../../src/authn/revocation.ts';
import type { SessionNotice } from '../../../src/authn/session/open.ts';
import { Rejection } from '../../../src/model/rejection.ts';
import { memorySessions } from '../../../src/store/memory/sessions.ts';
import { sqliteChanges } from '../../../src/store/sqlite/changes.ts';
import { sqliteRevocations } from '../../../src/store/sqlite/revocations.ts';
import { eventually } from '../../support/eventually.ts';
import { breakableStore, closeFirst, isOpen, newPath, open } from '../../support/open-sessions.ts';
import { loginIssuer, MINUTE, provenLogin, START, setClock, unknownValue } from '../../support/sessions.ts';
import { rejectionOf } from '../../support/token-issuer.ts';

describe('an end', () => {
  test('is of that one session, at once, and gives what the provider has to be told', async () => {
    const { sessions, store } = open();
    const [one, other] = [await sessions.begin(provenLogin()), await sessions.begin(provenLogin())];
    const ended = await sessions.end(one.value);
    expect(ended).toMatchObject({
      session: { id: one.session.id, user: 'ann' },
      principal: { owner: 'main|ann', sessionId: one.session.id },
      tokens: { refreshToken: 'refresh-0', idToken: 'id-0' },
    });
    expect(sessions.revoked).toEqual([one.session.id]);
    expect([await isOpen(sessions, one.value), await isOpen(sessions, other.value)]).toEqual([false, true]);
    expect(await store.find({ issuer: 'main', user: 'ann' })).toMatchObject([{ session: { id: other.session.id } }]);
    expect(await sessions.end(one.value)).toBeUndefined();
  });

  test('of a user, or of a session at the provider, is of all of them and of no other', async () => {
    const { sessions } = open({
      issuers: [loginIssuer(), loginIssuer({ name: 'second', issuer: 'https://second.test' })],
    });
    const begin = (more: object) => sessions.begin(provenLogin(more));
    const [a1, a2] = [await begin({}), await begin({ providerSessionId: 'sid-2' })];
    const others = [
      await begin({ claims: { sub: 'bob' }, providerSessionId: 'sid-3' }),
      await begin({ issuer: 'second' }),
    ];
    expect(await sessions.endAll({ issuer: 'main', providerSessionId: 'sid-2' }, START)).toBe(1);
    expect([await isOpen(sessions, a1.value), await isOpen(sessions, a2.value)]).toEqual([true, false]);
    const a3 = await begin({});
    expect(await sessions.endAll({ issuer: 'main', user: 'ann' }, START)).toBe(2);
    expect(await Promise.all([a1, a3, ...others].map(({ value }) => isOpen(sessions, value)))).toEqual([
      ...[false, false],
      ...[true, true],
    ]);
    expect(sessions.revoked.toSorted()).toEqual([a1, a2, a3].map(({ session }) => session.id).toSorted());
  });

  test('that cannot be written down is refused, and changes nothing', async () => {
    const add = () => Promise.reject(new Rejection('revocations-unavailable', 'disk full'));
    const { sessions } = open({ revocations: { add, revokes: () => undefined } });
    const { value, principal } = await sessions.begin(provenLogin());
    expect(await rejectionOf(() => sessions.end(value))).toMatchObject({ reason: 'revocations-unavailable' });
    expect(sessions.principalOf(value)).toBe(principal);
  });

  test('holds where only the row could not be removed, and that is told', async () => {
    const notices: SessionNotice[] = [];
    const store = memorySessions(() => START);
    const { sessions } = open({
      store: { ...store, remove: () => Promise.reject(new Error('gone fishing')) },
      notice: (notice) => notices.push(notice),
    });
    const { value, session } = await sessions.begin(provenLogin());
    expect(await sessions.end(value)).toMatchObject({ session: { id: session.id } });
    expect(sessions.revoked).toEqual([session.id]);
    expect(notices).toEqual([{ kind: 'session-not-removed', detail: `${session.id}: Error: gone fishing` }]);
  });

  test('is one too where the store has forgotten the session and somebody remembers it', async () => {
    const { sessions, store } = open();
    const { value, session } = await sessions.begin(provenLogin());
    await store.purge(START);
    expect(await sessions.end(value)).toMatchObject({ principal: { owner: 'main|ann' } });
    expect(sessions.revoked).toEqual([session.id]);
    expect(await isOpen(sessions, value)).toBe(false);
  });

  test('on one replica is heeded by the other within a second, by its revocation', async () => {
    const path = newPath();
    const replica = async () => {
      const { file } = open({ path });
      const revocations = await openRevocations({
        store: sqliteRevocations(file, sqliteChanges(file)),
        now: setClock().now,
      });
      const { sessions } = open({ path, revocations });
      closeFirst(() => revocations.close());
      return { sessions, revocations };
    };
    const [one, other] = [await replica(), await replica()];
    const { value } = await one.sessions.begin(provenLogin());
    const known = await other.sessions.principalOf(value);
    if (known === undefined) throw new Error('the other replica does not know the session');
    await one.sessions.end(value);
    const ended = performance.now();
    // The copy there is still fresh; it is the revocation that ends it.
    expect(other.sessions.principalOf(value)).toBe(known);
    await eventually(() => other.revocations.revokes(known) !== undefined);
    expect(performance.now() - ended).toBeLessThan(1000);
  });
});

describe('while the store is away', () => {
  test('those who are known here go on for five minutes, those who are not are refused with 503', async () => {
    const { state, store } = breakableStore();
    const notices: string[] = [];
    const { clock, sessions } = open({ store, notice: ({ kind }) => notices.push(kind) });
    const { value, principal } = await sessions.begin(provenLogin());
    clock.forward(5000);
    state.broken = true;
    expect(await sessions.principalOf(value)).toBe(principal);
    const refused = await rejectionOf(() => sessions.principalOf(unknownValue()));
    expect(refused).toMatchObject({ reason: 'sessions-unavailable', status: 503, headers: ['Retry-After', '1'] });
    clock.forward(5 * MINUTE - 5001);
    expect(await isOpen(sessions, value)).toBe(true);
    clock.forward(1001);
    expect(await rejectionOf(() => sessions.principalOf(value))).toMatchObject({ reason: 'sessions-unavailable' });
    state.broken = false;
    expect(await isOpen(sessions, value)).toBe(true);
    expect(notices).toEqual(['sessions-unreadable', 'sessions-readable']);
  });

  test('it is asked about a known session once a second, and its idle end holds', async () => {
    const { state, store } = breakableStore();
    const { clock, sessions } = open({ store, idleMillis: MINUTE });
    const { value } = await sessions.begin(provenLogin());
    state.broken = true;
    clock.forward(5000);
    for (let each = 0; each < 100; each += 1) {
      await sessions.principalOf(value);
      clock.forward(20);
    }
    expect(state.reads).toBe(2);
    clock.forward(MINUTE);
    expect(await rejectionOf(() => sessions.principalOf(value))).toMatchObject({ reason: 'sessions-unavailable' });
  });

  test('nobody logs in or out', async () => {
    const { state, store } = breakableStore();
    const { sessions } = open({ store });
    const { value } = await sessions.begin(provenLogin());
    state.broken = true;
    for (const call of [
      () => sessions.begin(provenLogin()),
      () => sessions.end(value),
      () => sessions.endAll({ issuer: 'main', user: 'ann' }, START),
    ])
      expect(await rejectionOf(call)).toMatchObject({ reason: 'sessions-unavailable' });
    expect(sessions.revoked).toEqual([]);
  });

  test('a use is not lost: it is written down when the store is back', async () => {
    const { state, store } = breakableStore();
    const { clock, sessions } = open({ store, idleMillis: 2 * MINUTE });
    const { value } = await sessions.begin(provenLogin());
    state.broken = true;
    clock.forward(MINUTE);
    await sessions.principalOf(value);
    state.broken = false;
    clock.forward(1000);
    await sessions.principalOf(value);
    const kept = async () => (await store.find({ issuer: 'main', user: 'ann' }))[0]?.session.usedAtMillis;
    await eventually(async () => (await kept()) === START + MINUTE + 1000);
  });
});
