/** An issuer's JWK set in a file, read anew each time: behind a mounted ConfigMap the path's target is swapped. */
import { open } from 'node:fs/promises';
import type { KeySource } from '../../authn/keys.ts';

const DEFAULT_MAX_BYTES = 262_144;

/** Returns the source for a path. `read` rejects when there is no regular file, or when it is too large. */
export const fileKeySource = (path: string, maxBytes = DEFAULT_MAX_BYTES): KeySource => ({
  async read(signal) {
    signal.throwIfAborted();
    const file = await open(path, 'r');
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw new Error('the key set is not a regular file');
      const buffer = Buffer.alloc(maxBytes + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        length += bytesRead;
        if (length > maxBytes) throw new Error(`the key set is larger than ${maxBytes} bytes`);
        if (bytesRead === 0) return buffer.subarray(0, length);
      }
    } finally {
      await file.close();
    }
  },
});
