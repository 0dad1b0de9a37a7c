/** A peer on a wire that takes nothing until it is flushed. */
import { peer } from '../../src/server/socket-peer.ts';

/** Over `websocket` the frames are read as the wire has them; over another transport as the text they are given as. */
const wire = (name: string) => {
  const taken: Array<() => void> = [];
  const texts: string[] = [];
  return {
    transport: { name },
    texts,
    /** How many writes are still to be told of. */
    untaken: () => taken.length,
    /** The system takes what was written, or so many of it. */
    flush(count = taken.length) {
      for (const done of taken.splice(0, count)) done();
    },
    write(data: string | Buffer, options: object, done?: () => void) {
      texts.push(framed(options) ?? String(data));
      if (done !== undefined) taken.push(done);
    },
  };
};

const framed = (options: object): string | undefined => {
  const { wsPreEncodedFrame: parts } = options as { wsPreEncodedFrame?: [Buffer, Buffer] };
  return parts?.[1].toString().replace(/^4(?=[0-6])/, '');
};

export const limited = (maxWaitingBytes: number, maxWaitingPackets: number, transport = 'websocket') => {
  const line = wire(transport);
  const slow: number[] = [];
  const waiting = { bytes: 0, most: 0 };
  const backlog = {
    add(bytes: number) {
      waiting.bytes += bytes;
      waiting.most = Math.max(waiting.most, waiting.bytes);
    },
  };
  const member = peer({
    wire: line,
    maxWaitingBytes,
    maxWaitingPackets,
    backlog,
    slow: (bytes) => slow.push(bytes),
  });
  return { ...line, slow, waiting, member };
};
