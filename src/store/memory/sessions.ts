/** Sessions in this process alone, for as long as it runs: for tests, and where nothing is to be kept. */
import type { SessionStore, SessionsOf } from '../../authn/session/store.ts';
import type { Session } from '../../model/session.ts';

interface Logout {
  readonly toldAtMillis: number;
  readonly untilMillis: number;
}

interface Lease {
  readonly holder: string;
  readonly untilMillis: number;
}

/** Returns an empty store. */
export function memorySessions(now: () => number = Date.now): SessionStore {
  const rows = new Map<string, Session>();
  const leases = new Map<string, Lease>();
  const logouts = logoutNotes(now);

  function living(digest: string): Session | undefined {
    const session = rows.get(digest);
    return session === undefined || session.endsAtMillis <= now() ? undefined : session;
  }

  function forget(digest: string): boolean {
    leases.delete(digest);
    return rows.delete(digest);
  }

  return {
    async insert(digest, session) {
      if (rows.has(digest)) throw new TypeError('there is a session of this digest already');
      rows.set(digest, session);
    },
    read: living,
    async touch(digest, usedAtMillis) {
      const session = living(digest);
      if (session !== undefined && session.usedAtMillis < usedAtMillis) rows.set(digest, { ...session, usedAtMillis });
    },
    async replace(digest, session) {
      const before = living(digest);
      if (before?.version !== session.version - 1) return false;
      rows.set(digest, { ...session, usedAtMillis: Math.max(session.usedAtMillis, before.usedAtMillis) });
      leases.delete(digest);
      return true;
    },
    async lease(digest, holder, untilMillis) {
      const lease = leases.get(digest);
      if (living(digest) === undefined) return false;
      if (lease !== undefined && lease.holder !== holder && lease.untilMillis > now()) return false;
      leases.set(digest, { holder, untilMillis });
      return true;
    },
    async giveBack(digest, holder) {
      if (leases.get(digest)?.holder === holder) leases.delete(digest);
    },
    remove: async (digest) => forget(digest),
    find: async (of) =>
      [...rows.keys()].flatMap((digest) => {
        const session = living(digest);
        return session !== undefined && isOf(session, of) ? [{ digest, session }] : [];
      }),
    noteLogout: logouts.noteLogout,
    loggedOutAt: logouts.loggedOutAt,
    async purge(unusedSinceMillis) {
      logouts.purge();
      for (const [digest, { endsAtMillis, usedAtMillis }] of rows)
        if (endsAtMillis <= now() || usedAtMillis <= unusedSinceMillis) forget(digest);
    },
    close: () => undefined,
  };
}

const isOf = (session: Session, of: SessionsOf): boolean =>
  session.issuer === of.issuer &&
  ('user' in of ? session.user === of.user : session.providerSessionId === of.providerSessionId);

const logoutNotes = (now: () => number) => {
  const logouts = new Map<string, Logout>();
  const noteLogout: SessionStore['noteLogout'] = async (of, toldAtMillis, untilMillis) => {
    const before = logouts.get(nameOf(of)) ?? { toldAtMillis, untilMillis };
    logouts.set(nameOf(of), {
      toldAtMillis: Math.max(toldAtMillis, before.toldAtMillis),
      untilMillis: Math.max(untilMillis, before.untilMillis),
    });
  };
  const loggedOutAt: SessionStore['loggedOutAt'] = async (of) => {
    const logout = logouts.get(nameOf(of));
    return logout !== undefined && logout.untilMillis > now() ? logout.toldAtMillis : undefined;
  };
  const purge = (): void => {
    for (const [name, { untilMillis }] of logouts) if (untilMillis <= now()) logouts.delete(name);
  };
  return { noteLogout, loggedOutAt, purge };
};

/** An alias holds no bar, so no two of them have one name. */
const nameOf = (of: SessionsOf): string =>
  'user' in of ? `user ${of.issuer}|${of.user}` : `session ${of.issuer}|${of.providerSessionId}`;
