/**
 * What has arrived of a body. A client may send it byte by byte, and a buffer of one byte takes two hundred in memory: so
 * what is small is put together, and a body holds about as much as it counts.
 */
export interface Pieces {
  add(chunk: Buffer): void;
  /** Returns all of it, in order. To be asked once nothing more is added. */
  all(): Buffer[];
}

/** So many are kept as they came: most bodies have fewer, and need no copy. */
const FEW = 16;

const SMALL_BYTES = 1024;
const FIRST_BLOCK_BYTES = 4096;
const LARGEST_BLOCK_BYTES = 65_536;

/** Returns a body of which nothing has arrived. */
export const pieces = (): Pieces => {
  const list: Buffer[] = [];
  let block = Buffer.alloc(0);
  let [start, end] = [0, 0];

  /** The rest of the block is still to be used. */
  const seal = (): void => {
    if (end > start) list.push(block.subarray(start, end));
    start = end;
  };

  return {
    add(chunk) {
      const isKept = chunk.length >= SMALL_BYTES || (list.length < FEW && block.length === 0);
      if (isKept || chunk.length > block.length - end) seal();
      if (isKept) {
        list.push(chunk);
        return;
      }
      if (chunk.length > block.length - end) {
        block = Buffer.allocUnsafeSlow(Math.min(Math.max(2 * block.length, FIRST_BLOCK_BYTES), LARGEST_BLOCK_BYTES));
        [start, end] = [0, 0];
      }
      end += chunk.copy(block, end);
    },
    all() {
      seal();
      return list;
    },
  };
};
