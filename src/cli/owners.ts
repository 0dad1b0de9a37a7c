/** `owners`: who owns how much, and owners that come to be called otherwise because an issuer or one of its claims changed. */
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Variables } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import type { Renaming } from '../model/owner-change.ts';
import type { ResourceRef } from '../model/resource.ts';
import { LedgerError } from '../store/ledger-error.ts';
import { isConflict, type OwnerMigration, openOwnerMigration } from '../store/sqlite/owner-migration.ts';
import { type OwnerCache, openOwnerCache } from './owner-cache.ts';
import { readUndoFile, writeUndoFile } from './owner-undo.ts';
import { recordDeed } from './owners-record.ts';
import { type Answer, answerLines } from './owners-text.ts';
import { seen } from './seen.ts';
import { type Output, writeFaults } from './settings.ts';

export interface OwnersOptions {
  readonly file: string;
  readonly json: boolean;
  readonly variables: Variables;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

export type OwnersDeed =
  | { readonly do: 'list'; readonly issuer?: string }
  | {
      readonly do: 'rename';
      readonly renaming: Renaming;
      readonly apply: boolean;
      readonly merge: boolean;
      readonly undoFile?: string;
    }
  | { readonly do: 'undo'; readonly undoFile: string; readonly apply: boolean };

interface Ground {
  readonly config: Config;
  readonly migration: OwnerMigration;
  readonly now: () => number;
}

/**
 * Resolves with the exit code: 0 when it was done, or told what it would do; 1 when it was not done, or not all of it; 3 when
 * the configuration is not valid.
 */
export async function owners(deed: OwnersDeed, options: OwnersOptions, output: Output): Promise<number> {
  const loaded = loadConfig(options);
  if ('faults' in loaded) {
    writeFaults(loaded.faults, options, output);
    return 3;
  }
  const { now = Date.now } = options;
  const answer = await answerTo(deed, loaded.config, now);
  const failed = answer.outcome === 'failed' || answer.outcome === 'refused';
  if (options.json) output.out(JSON.stringify(answer));
  else for (const line of answerLines(answer)) (failed ? output.err : output.out)(seen(line));
  return failed ? 1 : 0;
}

const answerTo = async (deed: OwnersDeed, config: Config, now: () => number): Promise<Answer> => {
  let migration: OwnerMigration | undefined;
  try {
    migration = openOwnerMigration({ path: config.ledger.sqlite, now });
    const ground = { config, migration, now };
    if (deed.do === 'list') return { outcome: 'listed', owners: migration.list(deed.issuer) };
    return await (deed.do === 'rename' ? rename(deed, ground) : undo(deed, ground));
  } catch (error) {
    if (error instanceof LedgerError) return { outcome: 'failed', message: sentence(error.message) };
    throw error;
  } finally {
    migration?.close();
  }
};

const sentence = (text: string): string => `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`;

const rename = async (deed: Extract<OwnersDeed, { do: 'rename' }>, ground: Ground): Promise<Answer> => {
  const { config, migration, now } = ground;
  const { renaming, merge } = deed;
  const changes = migration.plan(renaming);
  const notes = unknownIssuers(changes, config);
  if (
    changes.every(
      ({ resources, deleted, sessions, keys, revocations }) => !(resources + deleted + sessions + keys + revocations),
    )
  )
    return { outcome: 'failed', message: 'Nothing is known under these names: there is nothing to rename.' };
  const conflicts = merge ? [] : changes.filter(isConflict);
  if (conflicts.length > 0) return { outcome: 'refused', conflicts };
  if (!deed.apply) return { outcome: 'planned', changes, notes };
  const undoFile = resolve(deed.undoFile ?? join(dirname(config.ledger.sqlite), `owners-${stamp(now())}.undo`));
  return withCache(config, async (cache) => {
    const { changes: done, refs } = migration.apply(renaming, {
      merge,
      refusedMillis: config.sessions.lifetimeMillis,
      keep: (undone) => writeUndoFile(undoFile, undone),
    });
    const redis = await forgotten(cache, refs, new Set(done.map(({ from }) => from)));
    const deeds = done.map(({ from, to, resources }) => `renamed ${from} to ${to}: ${resources} resources`);
    const recorded = await recordDeed(config, deeds, now());
    return { outcome: redis === 'remembers' ? 'failed' : 'applied', changes: done, notes, undoFile, redis, recorded };
  });
};

const undo = async (deed: Extract<OwnersDeed, { do: 'undo' }>, { config, migration, now }: Ground): Promise<Answer> => {
  const told = undoneBy(deed.undoFile);
  if ('message' in told) return { outcome: 'failed', ...told };
  const { moved, changes } = told;
  const refs = migration.restorable(told);
  const numbers = { resources: refs.length, changedSince: moved.length - refs.length };
  if (!deed.apply) return { outcome: 'undo-planned', ...numbers };
  return withCache(config, async (cache) => {
    const restored = migration.restore(told);
    const redis = await forgotten(cache, restored, new Set(changes.map(({ to }) => to)));
    const done = { resources: restored.length, changedSince: moved.length - restored.length };
    const recorded = await recordDeed(config, [`took the renaming of ${done.resources} resources back`], now());
    return { outcome: redis === 'remembers' ? 'failed' : 'undone', ...done, redis, recorded };
  });
};

const undoneBy = (path: string) => {
  try {
    return readUndoFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { message: `There is no file ${path}.` };
    return { message: `The file ${path} cannot be used: ${message}.` };
  }
};

/** What Redis remembers would hold for minutes against what is written: without it nothing is begun. */
const withCache = async (
  { redis }: Config,
  work: (cache: OwnerCache | undefined) => Promise<Answer>,
): Promise<Answer> => {
  if (redis === undefined) return work(undefined);
  const cache = await openOwnerCache(redis.url);
  if (cache === undefined) {
    const message = 'Redis cannot be reached, and would go on naming the old owners. Nothing was changed.';
    return { outcome: 'failed', message };
  }
  try {
    return await work(cache);
  } finally {
    cache.close();
  }
};

const forgotten = async (
  cache: OwnerCache | undefined,
  refs: readonly ResourceRef[],
  formerly: ReadonlySet<string>,
) => {
  if (cache === undefined) return undefined;
  return (await cache.forget(refs, formerly)) ? ('forgot' as const) : ('remembers' as const);
};

const unknownIssuers = (changes: ReadonlyArray<{ readonly to: string }>, { issuers }: Config): readonly string[] => {
  const known = new Set([...issuers.map(({ name }) => name), 'service']);
  const named = new Set(changes.map(({ to }) => to.slice(0, to.indexOf('|'))));
  return [...named]
    .filter((alias) => !known.has(alias))
    .map((alias) => `No issuer in the configuration is called "${alias}": nobody is any of its users yet.`);
};

const stamp = (millis: number): string => new Date(millis).toISOString().replaceAll(/[:.]/g, '-');
