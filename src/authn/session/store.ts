/** Where sessions are kept. A session is found by the digest of its cookie's value; the value itself is kept nowhere. */
import type { Session } from '../../model/session.ts';

/** Which sessions of an issuer: those of one session at the provider, or all of a user. */
export type SessionsOf =
  | { readonly issuer: string; readonly providerSessionId: string }
  | { readonly issuer: string; readonly user: string };

export interface KeptSession {
  readonly digest: string;
  readonly session: Session;
}

/** Whatever rejects or throws may have changed something or nothing. */
export interface SessionStore {
  /** Resolves when it is kept; rejects where there is one of the digest already. */
  insert(digest: string, session: Session): Promise<void>;
  /** Returns what is kept under a digest; what is over is gone. */
  read(digest: string): Session | undefined | Promise<Session | undefined>;
  /** Notes the last use; never an earlier one, and nothing of a session that is gone. May be written a little later. */
  touch(digest: string, usedAtMillis: number): Promise<void>;
  /**
   * Replaces the session where it is there and of the version before this one, and ends its lease; resolves with whether
   * it was. Its id, its user and its end stay as they were.
   */
  replace(digest: string, session: Session): Promise<boolean>;
  /**
   * Gives the one right to ask the provider about a session until a moment (Unix time in milliseconds): resolves with
   * whether the holder has it. Nobody else gets it until then, unless it is given back.
   */
  lease(digest: string, holder: string, untilMillis: number): Promise<boolean>;
  /** Ends the lease where it is this holder's. */
  giveBack(digest: string, holder: string): Promise<void>;
  /** Resolves with whether it was there. */
  remove(digest: string): Promise<boolean>;
  find(of: SessionsOf): Promise<readonly KeptSession[]>;
  /**
   * Notes that their provider has ended them, for logins that are being completed: when it said so, by its own clock, and
   * until when that is kept (Unix time in milliseconds). The latest word counts.
   */
  noteLogout(of: SessionsOf, toldAtMillis: number, untilMillis: number): Promise<void>;
  /** Resolves with when their provider said so, undefined where nothing is noted. */
  loggedOutAt(of: SessionsOf): Promise<number | undefined>;
  /** Forgets what is over, and where that can be told what was not used since a moment (Unix time in milliseconds). */
  purge(unusedSinceMillis: number): Promise<void>;
  /** Writes what waits to be written. */
  close(): void;
}
