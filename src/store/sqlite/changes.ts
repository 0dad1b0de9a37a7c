/**
 * What other processes change in the file, and programs that are no gateway. The file counts its changes by triggers, and
 * SQLite tells each connection whether another one has committed anything: as long as none has, a look costs two
 * microseconds.
 */
import type { SqliteFile } from './file.ts';

/** What is counted: an id that ceased to be its owner's; what was made, changed or taken back of the others. */
export type Counted = 'owners' | 'revocations' | 'api_keys' | 'signing_keys';

/** `unreadable`: whether something has changed cannot be told. Said at each look, until it can be told again. */
type ChangeListener = (news: 'changed' | 'unreadable') => void;

export interface SqliteChanges {
  watch(what: Counted, listener: ChangeListener): void;
  close(): void;
}

export interface ChangesOptions {
  /** How often is looked: what others do takes effect within this time. Default 250. */
  readonly everyMillis?: number;
}

type Counts = ReadonlyMap<string, number>;

/** Begins to look. Throws when the file cannot be read. */
export function sqliteChanges({ database }: SqliteFile, options: ChangesOptions = {}): SqliteChanges {
  const versionStatement = database.prepare('PRAGMA data_version');
  const countStatement = database.prepare('SELECT what, count FROM changes');
  const listeners: Array<readonly [Counted, ChangeListener]> = [];

  const versionNow = (): unknown => versionStatement.get()?.data_version;
  const countNow = (): Counts =>
    new Map(countStatement.all().map(({ what, count }) => [String(what), Number(count)] as const));

  let version = versionNow();
  let counts: Counts | undefined = countNow();

  /** Returns what changed since the last look. */
  function look(): (what: Counted) => boolean {
    const current = versionNow();
    if (current === version && counts !== undefined) return () => false;
    const before = counts;
    const found = countNow();
    version = current;
    counts = found;
    return (what) => before === undefined || before.get(what) !== found.get(what);
  }

  /** Undefined: it cannot be told. */
  function news(): ReturnType<typeof look> | undefined {
    try {
      return look();
    } catch {
      // Who listens reads for itself, and then says what is wrong.
      counts = undefined;
      return undefined;
    }
  }

  function tell(): void {
    if (!database.isOpen) {
      close();
      return;
    }
    const changed = news();
    for (const [what, listener] of listeners) {
      if (changed === undefined) listener('unreadable');
      else if (changed(what)) listener('changed');
    }
  }

  const timer = setInterval(tell, options.everyMillis ?? 250).unref();

  function close(): void {
    clearInterval(timer);
  }

  return {
    watch: (what, listener) => void listeners.push([what, listener]),
    close,
  };
}
