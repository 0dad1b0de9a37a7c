/** A file of lines, read as it streams: of any size, in the memory of a few blocks. */
import { createReadStream } from 'node:fs';

export interface LineTaker {
  /** Called for each line that ends, without its end. */
  readonly line: (text: string) => void;
  /** Called for a line that is longer than any that was written whole. */
  readonly tooLong: () => void;
  /** Called at last with what stands behind the last line end, if there is something. */
  readonly rest: (text: string) => void;
}

export interface LinesOptions {
  readonly blockBytes?: number;
  readonly maxLineBytes?: number;
}

const LINE_END = 0x0a;

/** Resolves when the file was read to its end, or rejects with what the system says. */
export const readLines = async (path: string, taker: LineTaker, options: LinesOptions = {}): Promise<void> => {
  const { blockBytes = 1 << 20, maxLineBytes = 4 << 20 } = options;
  let begun: Buffer[] = [];
  let begunBytes = 0;
  let skipping = false;

  const begin = (bytes: Buffer): void => {
    if (skipping || bytes.length === 0) return;
    begun.push(bytes);
    begunBytes += bytes.length;
    if (begunBytes <= maxLineBytes) return;
    skipping = true;
    begun = [];
    begunBytes = 0;
    taker.tooLong();
  };

  const whole = (bytes: Buffer): void => {
    const text = Buffer.concat([...begun, bytes]).toString('utf8');
    begun = [];
    begunBytes = 0;
    for (const line of text.split('\n')) if (line !== '') taker.line(line);
  };

  for await (const block of createReadStream(path, { highWaterMark: blockBytes })) {
    let bytes: Buffer = block;
    if (skipping) {
      const end = bytes.indexOf(LINE_END);
      if (end === -1) continue;
      skipping = false;
      bytes = bytes.subarray(end + 1);
    }
    const last = bytes.lastIndexOf(LINE_END);
    if (last !== -1) whole(bytes.subarray(0, last));
    begin(bytes.subarray(last + 1));
  }
  if (begunBytes > 0) taker.rest(Buffer.concat(begun).toString('utf8'));
};
