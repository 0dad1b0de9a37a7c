/**
 * A raw WebSocket never outlives what let it in: its token or session, the policy under which it was opened, and the
 * ownership of what its path names.
 */
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { WebSocketRule } from '../model/websocket.ts';
import type { Expiry } from './socket-door.ts';
import { type Denial, denialOf, rejectionOf } from './socket-link.ts';
import { checkOwn, checkRoles, type WebSocketHandshakeOptions } from './web-socket-handshake.ts';
import { endLink, modeOf, type Records, type WebSocketLink } from './web-socket-link.ts';

interface AuthorityOptions {
  readonly lifetime: Pick<Expiry, 'watch'>;
  readonly record: Pick<Records, 'link'>;
  /** Judges a connection by the policy as it is now. */
  readonly judge: (link: WebSocketLink) => void;
}

const DETAIL = 'the authority of an open connection';

/** Goes on by a prolonged authority, and ends the connection when it is over. Returns what takes the watch back. */
export const watchAuthority = ({ lifetime, record, judge }: AuthorityOptions, link: WebSocketLink): (() => void) => {
  const { principal } = link;
  if (principal === undefined) return () => undefined;
  return lifetime.watch(principal, {
    prolonged(later) {
      link.principal = later;
      judgeRoles(link, later);
      judge(link);
    },
    ended(reason) {
      if (modeOf(link) === 'enforce' || modeOf({ ...link, principal: undefined }) === 'enforce') {
        endLink(link, new Rejection(reason, DETAIL));
        return;
      }
      // Where the policy is not in effect, somebody unknown may go on.
      const expired: Denial = { would: 'deny', reason, detail: DETAIL };
      link.principal = undefined;
      link.denials = [...link.denials, expired];
      record.link(link, { outcome: 'allowed', findings: [expired] });
    },
  });
};

/** Who has lost the role that the endpoint asks for would not be let in any more. */
const judgeRoles = (link: WebSocketLink, principal: Principal): void => {
  try {
    checkRoles(link.match.rule, principal);
  } catch (error) {
    const denial = denialOf(rejectionOf(error));
    if (link.denials.at(-1)?.reason !== denial.reason) link.denials = [...link.denials, denial];
  }
};

interface WatchOptions extends Pick<WebSocketHandshakeOptions, 'rules' | 'ownersOf'> {
  readonly links: ReadonlySet<WebSocketLink>;
  readonly tickMillis?: number;
}

/** Looks at all connections again and again while there are some, and at once when the policy has changed. */
export const watchOver = ({ rules, ownersOf, links, tickMillis = 1_000 }: WatchOptions) => {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  /** Those for whom the ledger has not answered yet. */
  const asked = new Set<WebSocketLink>();
  const tick = (): void => {
    if (links.size === 0) stop();
    for (const link of links) {
      link.load?.tick();
      if (asked.has(link)) continue;
      asked.add(link);
      void recheck(ownersOf, link).finally(() => asked.delete(link));
    }
  };
  return {
    begin(): void {
      timer ??= setInterval(tick, tickMillis).unref();
    },
    stop,
    /** Judges one connection by the policy as it is now. */
    judge(link: WebSocketLink): void {
      judgeAnew(
        link,
        rules().find(({ id }) => id === link.match.rule.id),
      );
    },
    /** The same of every connection. */
    rejudge(): void {
      const current = new Map(rules().map((rule) => [rule.id, rule]));
      for (const link of links) judgeAnew(link, current.get(link.match.rule.id));
    },
  };
};

/** What a connection agreed to at its handshake it keeps to, or comes back. */
const judgeAnew = (link: WebSocketLink, rule: WebSocketRule | undefined): void => {
  if (rule === undefined || rule.terms !== link.match.rule.terms) {
    endLink(link, new Rejection('shutting-down', 'the policy of its endpoint has changed'));
    return;
  }
  link.match = { ...link.match, rule };
  const denial = link.denials.at(-1);
  if (modeOf(link) !== 'enforce' || denial === undefined) return;
  endLink(link, new Rejection(denial.reason, denial.detail));
};

/** A ledger that cannot be asked ends nothing: what is open goes on. */
const recheck = async (ownersOf: WatchOptions['ownersOf'], link: WebSocketLink): Promise<void> => {
  const { match, principal, ended } = link;
  if (ended !== undefined || match.resources.length === 0 || principal === undefined) return;
  try {
    await checkOwn({ ownersOf }, match.resources, principal);
  } catch (error) {
    const isHidden = error instanceof Rejection && error.reason === 'resource-hidden';
    if (isHidden && modeOf(link) === 'enforce') endLink(link, error);
  }
};
