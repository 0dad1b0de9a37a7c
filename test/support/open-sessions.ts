/** Opened sessions in real files, under clocks that are set; all of it is closed after the test that opened it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import type { Sessions, SessionsOptions } from '../../src/authn/session/sessions.ts';
import type { SessionStore } from '../../src/authn/session/store.ts';
import { memorySessions } from '../../src/store/memory/sessions.ts';
import { openSqliteFile } from '../../src/store/sqlite/file.ts';
import { sqliteSessions } from '../../src/store/sqlite/sessions.ts';
import { START, sessionsOn, setClock } from './sessions.ts';

const directory = mkdtempSync(join(tmpdir(), 'authn-sessions-'));
const closers: Array<() => void> = [];

/** Ends what was opened, as a process ends that is told to. */
export const closeAll = (): void => {
  for (const close of closers.splice(0)) close();
};
afterEach(closeAll);
afterAll(() => rmSync(directory, { recursive: true }));

/** Has something closed before what was opened until now. */
export const closeFirst = (close: () => void): void => void closers.unshift(close);

let files = 0;
export const newPath = (): string => join(directory, `${files++}.db`);

export interface OpenOptions extends Partial<SessionsOptions> {
  /** The file; two on one file are two replicas. */
  readonly path?: string;
}

export const open = (options: OpenOptions = {}) => {
  const clock = setClock();
  const file = openSqliteFile({ path: options.path ?? newPath(), now: options.now ?? clock.now });
  const store = sqliteSessions(file);
  const sessions = sessionsOn(options.store ?? store, { now: clock.now, ...options });
  closers.push(() => {
    sessions.close();
    file.close();
  });
  return { clock, file, sessions, store };
};

export const isOpen = async (sessions: Sessions, value: string): Promise<boolean> =>
  (await sessions.principalOf(value)) !== undefined;

/** A store in this process that can be away, and that counts how often it was read. */
export const breakableStore = () => {
  const inner = memorySessions(() => START);
  const state = { broken: false, reads: 0 };
  const unless =
    <A extends unknown[], T>(work: (...args: A) => T | Promise<T>) =>
    async (...args: A): Promise<T> => {
      if (state.broken) throw new Error('away');
      return await work(...args);
    };
  const store: SessionStore = {
    insert: unless(inner.insert),
    async read(digest) {
      state.reads += 1;
      return await unless(inner.read)(digest);
    },
    touch: unless(inner.touch),
    replace: unless(inner.replace),
    lease: unless(inner.lease),
    giveBack: unless(inner.giveBack),
    remove: unless(inner.remove),
    find: unless(inner.find),
    noteLogout: unless(inner.noteLogout),
    loggedOutAt: unless(inner.loggedOutAt),
    purge: unless(inner.purge),
    close: inner.close,
  };
  return { state, store };
};
