/**
 * HOW MANY AT ONCE: a run goes on after its request was answered, or given up. Its slot is held until the upstream says
 * that the run ended, or its timeout. Every replica hears every event, so each gives back only the slots it took itself.
 */
import { valuesAt } from '../model/field-path.ts';
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { ReadRequest } from '../model/request.ts';
import type { RouteMatch } from '../model/route.ts';
import type { Slots } from './slots.ts';

/**
 * A successful run says `done` twice within moments (contract, section 4). The second must not end the next run, so for
 * this long one further end of the same session is taken as an echo.
 */
const ECHO_MILLIS = 2_000;

export interface Run {
  readonly key: string;
  readonly member: string;
  readonly session: string;
  readonly endsWithAnswer: boolean;
  readonly until: number;
}

/** `nothing`: the upstream certainly started nothing. `answered`: a complete 2xx. `unknown`: it may be running. */
export type RunOutcome = 'nothing' | 'answered' | 'unknown';

export interface Runs {
  /** Returns the run, undefined on a route that starts none, or throws `runs-limited`. */
  start(request: ReadRequest, match: RouteMatch, principal: Principal | undefined): Promise<Run | undefined>;
  /** The request is over. */
  finish(run: Run, outcome: RunOutcome): Promise<void>;
  /** The upstream said that a run of this session ended. */
  ended(session: string): Promise<void>;
  /** Runs whose end is awaited. */
  open(): number;
}

interface RunsOptions {
  readonly slots: Slots;
  readonly now?: () => number;
}

export const runs = ({ slots, now = Date.now }: RunsOptions): Runs => {
  const bySession = new Map<string, Run[]>();
  const echoes = new Map<string, number>();

  const remove = (run: Run): boolean => {
    const list = bySession.get(run.session);
    const index = list?.indexOf(run) ?? -1;
    if (list === undefined || index < 0) return false;
    list.splice(index, 1);
    if (list.length === 0) bySession.delete(run.session);
    return true;
  };

  const sweep = (): void => {
    const time = now();
    for (const list of [...bySession.values()]) for (const run of [...list]) if (run.until <= time) remove(run);
    for (const [session, until] of echoes) if (until <= time) echoes.delete(session);
  };

  return {
    async start(request, match, principal) {
      const rule = match.route.run;
      if (rule === undefined || principal === undefined || request.body.kind !== 'json') return undefined;
      const session = valuesAt(request.body.value, rule.session)[0];
      if (typeof session !== 'string') return undefined;
      const { concurrent, timeoutMillis, name } = rule.limit;
      const key = `${name}:${principal.owner}`;
      const member = request.canonical.id;
      if (!(await slots.acquire({ key, member, max: concurrent, timeoutMillis }))) {
        throw new Rejection('runs-limited', `limit ${name}: ${concurrent} at once`, { headers: ['retry-after', '5'] });
      }
      sweep();
      const run = { key, member, session, endsWithAnswer: rule.endsWithAnswer, until: now() + timeoutMillis };
      const list = bySession.get(session);
      if (list === undefined) bySession.set(session, [run]);
      else list.push(run);
      return run;
    },

    async finish(run, outcome) {
      if (outcome === 'unknown' || (outcome === 'answered' && !run.endsWithAnswer)) return;
      if (remove(run)) await slots.release(run.key, run.member);
    },

    async ended(session) {
      const echo = echoes.get(session);
      echoes.delete(session);
      if (echo !== undefined && now() < echo) return;
      const oldest = bySession.get(session)?.[0];
      if (oldest === undefined) return;
      echoes.set(session, now() + ECHO_MILLIS);
      remove(oldest);
      await slots.release(oldest.key, oldest.member);
    },

    open: () => [...bySession.values()].reduce((sum, list) => sum + list.length, 0),
  };
};
