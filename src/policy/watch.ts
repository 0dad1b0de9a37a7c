/**
 * Notices that policy files changed, however they are changed: written in place, replaced by a rename as editors do, or
 * by the swap of a link on the way to them, as Kubernetes does with a ConfigMap. Folders are watched, because a watched
 * file is lost with the first rename; and a slow look finds what no event told (network file systems, a lost watch).
 */
import { type FSWatcher, watch } from 'node:fs';
import { readlink, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, parse, resolve, sep } from 'node:path';

export interface WatchOptions {
  /** Asked anew at each look. */
  readonly files: () => readonly string[];
  /** Called once for the first look too, so that nothing is missed between a load and the watch. Must not throw. */
  readonly changed: () => void;
  /** For so long the files must have been left alone: half a file may be a valid policy. */
  readonly settleMillis?: number;
  /** Between two looks that no event asked for. */
  readonly lookMillis?: number;
}

/** Starts watching; returns what ends it. */
export const watchFiles = (options: WatchOptions): (() => void) => {
  const { settleMillis = 250, lookMillis = 5_000 } = options;
  const state: State = { closed: false, told: false, watchers: [], wake: undefined };
  void look(state, { ...options, settleMillis, lookMillis });
  return () => {
    state.closed = true;
    closeAll(state);
    state.wake?.();
  };
};

interface State {
  closed: boolean;
  /** A folder told of something since the last look. */
  told: boolean;
  watchers: FSWatcher[];
  /** Ends the waiting for an event. */
  wake: (() => void) | undefined;
}

const look = async (state: State, { files, changed, settleMillis, lookMillis }: Required<WatchOptions>) => {
  let known = '';
  while (!state.closed) {
    state.told = false;
    let seen = await fingerprint(files());
    if (seen !== known) {
      for (let before = ''; before !== seen && !state.closed; ) {
        before = seen;
        await watchFolders(state, files());
        await pause(settleMillis);
        seen = await fingerprint(files());
      }
      known = seen;
      if (!state.closed) changed();
    }
    if (!state.told) await event(state, lookMillis);
    // Other files of the folder may be written all the time, and each write is an event.
    await pause(settleMillis / 2);
  }
};

/** Resolves with the next event of a folder, or after the time. */
const event = (state: State, millis: number): Promise<void> =>
  new Promise((done) => {
    const timer = setTimeout(done, millis).unref();
    state.wake = () => {
      clearTimeout(timer);
      done();
    };
    if (state.closed) state.wake();
  });

const pause = (millis: number): Promise<void> => new Promise((done) => void setTimeout(done, millis).unref());

/** Watches the folders anew: one that was replaced has the same name, and is another. */
const watchFolders = async (state: State, files: readonly string[]): Promise<void> => {
  const folders = new Set((await Promise.all(files.map(foldersOf))).flat());
  closeAll(state);
  if (state.closed) return;
  for (const folder of folders) {
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        state.told = true;
        state.wake?.();
      });
      watcher.on('error', () => watcher.close());
      state.watchers.push(watcher);
    } catch {
      // It is gone, or the system has no more watches to give: the slow look finds the change.
    }
  }
};

const closeAll = (state: State): void => {
  for (const watcher of state.watchers.splice(0)) watcher.close();
};

/** Says which files are at the paths, by what changes when they do. */
const fingerprint = async (files: readonly string[]): Promise<string> => {
  const lines = files.map(async (file) => {
    try {
      const real = await realpath(file);
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(real, { bigint: true });
      return [file, real, dev, ino, size, mtimeNs, ctimeNs].join(' ');
    } catch {
      // Away, for the moment or for good: that is a state of the file like any other.
      return `${file} missing`;
    }
  });
  return (await Promise.all(lines)).join('\n');
};

/** As many links as the system itself follows. */
const MAX_LINKS = 40;

/** Returns the folder that a file is in at last, and those of the links on the way to it. */
export const foldersOf = async (file: string): Promise<string[]> => {
  const folders = new Set<string>();
  let { at, steps } = split(resolve(file));
  for (let links = 0; ; ) {
    const [step = '', ...further] = steps;
    const target = links < MAX_LINKS ? await targetOf(join(at, step)) : undefined;
    if (target !== undefined) {
      links += 1;
      folders.add(at);
      const next = split(target);
      at = isAbsolute(target) ? next.at : at;
      steps = [...next.steps, ...further];
    } else if (further.length === 0) {
      return [...folders.add(at)];
    } else {
      at = join(at, step);
      steps = further;
    }
  }
};

const split = (path: string): { at: string; steps: string[] } => {
  const { root } = parse(path);
  return { at: root, steps: path.slice(root.length).split(sep) };
};

/** Undefined for what is no link. */
const targetOf = (path: string): Promise<string | undefined> => readlink(path).catch(() => undefined);
