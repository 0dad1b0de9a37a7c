/**
 * A client whose handshake has not been answered yet: that it goes is noticed, and what it says already is kept. A socket
 * that nobody reads says neither.
 */
import type { Duplex } from 'node:stream';

export interface Waiting {
  readonly socket: Duplex;
  /** What came behind the handshake. */
  readonly head: Buffer;
}

/** No client has a reason to say anything before it is answered (RFC 6455, section 4.1). */
const MAX_EARLY_BYTES = 64 << 10;

/** Reads until the function returned is called, which returns all that came, and leaves the socket paused. */
export const whileWaiting = ({ socket, head }: Waiting, gone: () => void): (() => Buffer) => {
  const chunks = [head];
  let bytes = head.length;
  const keep = (chunk: Buffer): void => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_EARLY_BYTES) socket.pause();
  };
  socket.on('data', keep);
  socket.once('end', gone);
  return () => {
    socket.off('data', keep);
    socket.off('end', gone);
    socket.pause();
    return Buffer.concat(chunks, bytes);
  };
};
