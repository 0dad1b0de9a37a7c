/** Sessions for tests of what a cookie opens: whose they are is told to them, and nothing of how they are kept. */
import { principalOf } from '../../src/authn/claims.ts';
import type { Sessions } from '../../src/authn/session/sessions.ts';
import { SESSION_COOKIE } from '../../src/model/cookie.ts';
import type { Principal } from '../../src/model/principal.ts';
import { NOON } from './token-issuer.ts';

export interface Terms {
  readonly issuer?: string;
  readonly roles?: readonly string[];
  readonly issuedAtMillis?: number;
  readonly expiresAtMillis?: number;
}

export interface HeldSessions extends Pick<Sessions, 'principalOf' | 'prolong'> {
  /** Returns the headers that show the cookie of a new session. */
  cookieOf(user: string, terms?: Terms): { readonly cookie: string };
  /** From now on a principal of this user is prolonged to these terms; undefined: its session is over. */
  renew(user: string, terms: Terms | undefined): void;
  /** From now on what is asked is answered like this. */
  answer(how: 'at once' | 'later' | Error): void;
  /** How often it was asked whose a cookie is. */
  readonly asked: () => number;
}

/** Whose value is no cookie of a session that there is. */
export const STALE = { cookie: `${SESSION_COOKIE}=${'x'.repeat(43)}` };

export const heldSessions = (): HeldSessions => {
  const opened = new Map<string, Principal>();
  const renewed = new Map<string, Principal | undefined>();
  let asked = 0;
  let how: 'at once' | 'later' | Error = 'at once';
  const principalFor = (user: string, terms: Terms = {}): Principal =>
    principalOf(
      terms.issuer ?? 'main',
      { user, roles: [...(terms.roles ?? [])], tenant: undefined },
      {
        sessionId: `s-${user}`,
        issuedAtMillis: terms.issuedAtMillis ?? (NOON - 60) * 1000,
        expiresAtMillis: terms.expiresAtMillis ?? (NOON + 3600) * 1000,
      },
    );
  const told = (answer: Principal | undefined) => {
    if (how instanceof Error) return Promise.reject(how);
    return how === 'later' ? Promise.resolve(answer) : answer;
  };
  return {
    principalOf(value) {
      asked += 1;
      return told(opened.get(value));
    },
    prolong: ({ user }) => told(renewed.get(user)),
    cookieOf(user, terms) {
      const value = Buffer.from(`${opened.size}-${user}`).toString('base64url').padEnd(43, '0');
      opened.set(value, principalFor(user, terms));
      return { cookie: `other=1; ${SESSION_COOKIE}=${value}` };
    },
    renew: (user, terms) => renewed.set(user, terms && principalFor(user, terms)),
    answer(next) {
      how = next;
    },
    asked: () => asked,
  };
};
