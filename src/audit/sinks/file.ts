/**
 * NDJSON, appended to one file: a line a decision. What came in one go is written in one go, and no request waits for
 * the disk. What cannot be written is kept up to a bound and counted beyond it: never lost unseen.
 */
import { mkdirSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface LineSink {
  write(line: string): void;
  /** Lines that could not be kept. */
  dropped(): number;
  /** False while writing fails. */
  healthy(): boolean;
  /** Resolves when everything that could be written is. */
  close(): Promise<void>;
}

interface FileOptions {
  readonly path: string;
  /** Characters that wait at most while the disk does not take them. */
  readonly maxWaiting?: number;
  readonly onFault: (error: unknown) => void;
  /** Adds text to the end of the file; on a rejection a part of it may be there. */
  readonly append?: (file: FileHandle, text: string) => Promise<void>;
}

/** After a failure, or a crash, the file may end within a line: what is written next must not become a part of it. */
const LINE_END = '\n';
const GATHER_MILLIS = 1;
const RETRY_MILLIS = 1_000;

const openToAppend = (path: string): Promise<FileHandle> => {
  mkdirSync(dirname(path), { recursive: true });
  return open(path, 'a', 0o640);
};

/** True unless the file is empty or ends with a line end. What is no file has no end, and no size. */
const endsWithinLine = async (path: string): Promise<boolean> => {
  try {
    const { size } = statSync(path);
    if (size === 0) return false;
    await using file = await open(path, 'r');
    const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 });
    return buffer.toString('latin1') !== LINE_END;
  } catch {
    // It may be written and not read: an empty line more does no harm.
    return true;
  }
};

const appendWhole = (file: FileHandle, text: string): Promise<void> => file.appendFile(text);

/** Opens the file for appending, readable by its owner and group, or throws. */
export const fileSink = async (options: FileOptions): Promise<LineSink> => {
  const { path, maxWaiting = 64 * 1024 * 1024, onFault, append = appendWhole } = options;
  const file = await openToAppend(path);
  let waiting: string[] = [];
  let size = 0;
  let lost = 0;
  let end: 'whole' | 'torn' | 'failing' = (await endsWithinLine(path)) ? 'torn' : 'whole';
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;

  const flush = async (): Promise<void> => {
    timer = undefined;
    const batch = waiting.join('');
    waiting = [];
    size = 0;
    try {
      await append(file, end === 'whole' ? batch : `${LINE_END}${batch}`);
      end = 'whole';
    } catch (error) {
      if (end !== 'failing') onFault(error);
      end = 'failing';
      // A part of the batch may be in the file already: a line twice is better than a line lost.
      waiting.unshift(batch);
      size += batch.length;
    }
  };

  const schedule = (): void => {
    if (timer !== undefined || writing !== undefined || waiting.length === 0) return;
    timer = setTimeout(run, end === 'failing' ? RETRY_MILLIS : GATHER_MILLIS);
  };

  const run = (): void => {
    writing = flush().finally(() => {
      writing = undefined;
      schedule();
    });
  };

  return {
    write(line) {
      if (size + line.length > maxWaiting) {
        lost += 1;
        return;
      }
      waiting.push(line, LINE_END);
      size += line.length + 1;
      schedule();
    },
    dropped: () => lost,
    healthy: () => end !== 'failing',
    async close() {
      await writing;
      clearTimeout(timer);
      if (waiting.length > 0) await flush();
      if (end === 'failing') lost += waiting.join('').split(LINE_END).length - 1;
      await file.close();
    },
  };
};
