/** The part of the composition that lets the policy change while the gateway runs: who may ask for it, and who is told. */
import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { adminTokenFile } from './config/admin.ts';
import type { Config } from './config/config.ts';
import { formatFault } from './policy/fault.ts';
import type { LivePolicy, ReloadOutcome } from './policy/live.ts';
import { policyStatus } from './policy/status.ts';
import { watchFiles } from './policy/watch.ts';
import type { AdminOutcome, AdminPolicy } from './server/admin-policy.ts';
import type { Log } from './telemetry/log.ts';
import type { PolicyNumbers } from './telemetry/metrics.ts';

export interface PolicyPlaneOptions {
  readonly config: Config;
  readonly live: LivePolicy;
  readonly log: Log;
  /** Called after another policy went live. */
  readonly swapped: () => void;
}

export interface PolicyPlane {
  readonly admin: AdminPolicy;
  readonly numbers: () => PolicyNumbers;
  /** Loads the files because a signal asked for it. */
  reload(): void;
  /** Writes the admin token and begins to watch the files; for when the admin listener is bound. */
  open(): Promise<void>;
  close(): void;
}

/** Returns what changes the live policy, and tells of it in the log, the metrics and the admin API. */
export const policyPlane = ({ config, live, log, swapped }: PolicyPlaneOptions): PolicyPlane => {
  const token = randomBytes(32).toString('base64url');
  const times = { lastSuccessMillis: live.current.loadedAtMillis, lastFailureMillis: 0, failures: 0 };
  let stopWatching = (): void => undefined;

  const told = (outcome: ReloadOutcome, because: string): ReloadOutcome['outcome'] => {
    if (outcome.outcome === 'loaded') {
      times.lastSuccessMillis = outcome.generation.loadedAtMillis;
      swapped();
    }
    if (outcome.outcome === 'refused') {
      times.lastFailureMillis = outcome.failure.atMillis;
      times.failures += 1;
    }
    writeDown(log, outcome, { because, ...liveNow(live) });
    return outcome.outcome;
  };
  const reload = (because: string): AdminOutcome => {
    const outcome = told(live.reload(), because);
    return { done: outcome !== 'refused', answer: { outcome, policy: policyStatus(live) } };
  };

  return {
    admin: {
      host: config.admin.host,
      token,
      status: () => policyStatus(live),
      reload: () => reload('command'),
      rollBack: () => rollBack({ live, log, swapped }),
    },
    numbers() {
      const { name, rollout } = live.current.policy;
      return { ...liveNow(live), name, mode: rollout.mode, ...times };
    },
    reload: () => void reload('signal'),
    async open() {
      await writeSecret(adminTokenFile(config.ledger.sqlite), token);
      stopWatching = watchFiles({
        files: () => live.files,
        changed: () => void told(live.reloadChanged(), 'change'),
      });
    },
    close: () => stopWatching(),
  };
};

const liveNow = ({ current: { generation, sha256 } }: LivePolicy) => ({ generation, sha256 });

/** One line for what happened and what is live now, and one for each fault. */
const writeDown = (log: Log, outcome: ReloadOutcome, fields: object): void => {
  if (outcome.outcome === 'loaded') log.info(fields, 'policy-reloaded');
  else if (outcome.outcome === 'unchanged') log.debug(fields, 'policy-unchanged');
  else {
    const { faults } = outcome.failure;
    log.error({ ...fields, faults: faults.length }, 'policy-refused');
    for (const fault of faults) log.error({ fault: formatFault(fault) }, 'policy-fault');
  }
};

const rollBack = ({ live, log, swapped }: Omit<PolicyPlaneOptions, 'config'>): AdminOutcome => {
  const from = live.current.generation;
  const done = live.rollBack() !== undefined;
  if (done) {
    swapped();
    log.warn({ from, ...liveNow(live) }, 'policy-rolled-back');
  }
  return { done, answer: { outcome: done ? 'rolled-back' : 'nothing-earlier', policy: policyStatus(live) } };
};

/** A new file in place of the old one: whoever may read that, or made a link of it, gets nothing. */
const writeSecret = async (file: string, secret: string): Promise<void> => {
  const fresh = `${file}.${process.pid}`;
  await rm(fresh, { force: true });
  await writeFile(fresh, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  await rename(fresh, file);
};
