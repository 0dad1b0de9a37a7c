import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventFrame } from '../../src/server/socket-frame.ts';
import { peer } from '../../src/server/socket-peer.ts';
import { limited } from '../support/wire-peer.ts';

const MIB = 1 << 20;
const numbered = (n: number, size = 0) => eventFrame('e', [n, 'x'.repeat(size)]);
const binary = (...parts: readonly Buffer[]) =>
  eventFrame(
    'e',
    parts.map((_, num) => ({ _placeholder: true, num })),
    parts,
  );

describe('a peer that does not read', () => {
  test('is cut off when too many bytes would wait, the one that is about to among them', () => {
    const frame = eventFrame('e', ['x'.repeat(600)]);
    const exact = limited(2 * frame.bytes, 100);
    for (let i = 0; i < 2; i += 1) exact.member.send(frame);
    expect(exact.slow).toEqual([]);
    const { member, slow, texts } = limited(2 * frame.bytes - 1, 100);
    for (let i = 0; i < 5; i += 1) member.send(frame);
    expect(slow).toEqual([2 * frame.bytes]);
    expect(texts).toHaveLength(1);
  });

  test('is cut off when too many packets would wait, and an attachment is one', () => {
    const { member, slow, texts } = limited(MIB, 4);
    member.send(binary(Buffer.from('a'), Buffer.from('b')));
    member.send(numbered(1));
    expect([texts.length, slow.length]).toEqual([4, 0]);
    member.send(numbered(2));
    expect([texts.length, slow.length]).toEqual([4, 1]);
    const attached = limited(MIB, 2);
    attached.member.send(binary(Buffer.from('a'), Buffer.from('b')));
    expect(attached.slow).toHaveLength(1);
  });

  test('is cut off by one event that is larger than the bound', () => {
    const { member, slow, texts, waiting } = limited(1_000, 10);
    member.send(numbered(0, 5_000));
    expect([texts, slow.length, waiting.bytes]).toEqual([[], 1, 0]);
  });

  test('has a bounded part of it on the wire, and the rest here', () => {
    const { member, texts, flush, waiting } = limited(64 * MIB, 10_000);
    for (let i = 0; i < 100; i += 1) member.send(numbered(i, 100_000));
    expect(texts.length).toBeLessThanOrEqual(10);
    expect(waiting.bytes).toBeGreaterThan(100 * 100_000);
    const before = texts.length;
    flush(1);
    expect(texts).toHaveLength(before + 1);
  });

  test('has one frame on the wire that is larger than that part, alone', () => {
    const { member, texts, flush } = limited(64 * MIB, 10_000);
    member.send(numbered(0));
    member.send(numbered(1, 2 * MIB));
    member.send(numbered(2));
    expect(texts).toHaveLength(1);
    flush();
    expect(texts).toHaveLength(2);
    flush();
    expect(texts).toHaveLength(3);
  });

  test('is owed no more than a MiB of replies, and from anew when it has read everything', () => {
    const { member, flush } = limited(64 * MIB, 10_000);
    expect(member.mayReply(64 * MIB)).toBe(true);
    member.send(numbered(0));
    expect([member.mayReply(MIB - 1), member.mayReply(1), member.mayReply(1)]).toEqual([true, true, false]);
    flush();
    expect(member.mayReply(1)).toBe(true);
    member.send(numbered(1));
    expect([member.mayReply(MIB), member.mayReply(1)]).toEqual([true, false]);
  });

  test('leaves nothing that waits when it is dropped, and takes nothing more', () => {
    const { member, texts, flush, waiting } = limited(64 * MIB, 10_000);
    for (let i = 0; i < 30; i += 1) member.send(numbered(i, 100_000));
    const written = texts.length;
    member.drop();
    member.send(numbered(99));
    flush();
    expect([waiting.bytes, texts.length]).toEqual([0, written]);
  });

  test('is told the end behind what waits, when it is to finish', () => {
    const { member, texts, flush } = limited(64 * MIB, 10_000);
    for (let i = 0; i < 3; i += 1) member.send(numbered(i, MIB));
    const ends: number[] = [];
    member.finish(() => ends.push(texts.length));
    member.send(numbered(99));
    for (let i = 0; i < 5; i += 1) flush();
    expect(ends).toEqual([3]);
    const idle = limited(MIB, 10);
    idle.member.finish(() => ends.push(0));
    expect(ends).toEqual([3, 0]);
  });
});

describe('a peer that reads', () => {
  test('hears every event once and in order, however the wire takes them', () => {
    const step = fc.oneof(fc.integer({ min: 0, max: 3 * MIB }), fc.constant('flush'), fc.integer({ min: -5, max: -1 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { member, texts, flush, waiting, slow } = limited(Number.POSITIVE_INFINITY, 10_000);
        const sent: string[] = [];
        for (const [n, size] of steps.entries()) {
          if (size === 'flush') flush();
          else if (Number(size) < 0) flush(-Number(size));
          else {
            const frame = numbered(n, Number(size));
            sent.push(frame.text);
            member.send(frame);
          }
        }
        while (waiting.bytes > 0) flush();
        expect(texts).toEqual(sent);
        expect(slow).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test('may be a little behind all the time', () => {
    const { member, texts, flush, waiting } = limited(MIB, 10);
    for (let n = 0; n < 1_000; n += 1) {
      member.send(numbered(n));
      if (n > 0) flush(1);
    }
    flush();
    expect(texts).toEqual(Array.from({ length: 1_000 }, (_, n) => `2["e",${n},""]`));
    expect(waiting.bytes).toBe(0);
  });

  test('hears attachments right behind their event', () => {
    const { member, texts, flush, waiting, untaken } = limited(MIB, 100);
    member.send(binary(Buffer.from('a'), Buffer.from('b')));
    member.send(numbered(1));
    // A frame is taken with its last part.
    expect(untaken()).toBe(2);
    flush();
    expect(texts.map((text) => text.slice(0, 2))).toEqual(['52', 'a', 'b', '2[']);
    expect(waiting.bytes).toBe(0);
  });

  test('hears them there even if the wire takes an earlier one while it is given the event', () => {
    const written: string[] = [];
    const taken: Array<() => void> = [];
    const wire = {
      transport: { name: 'polling' },
      write(data: string | Buffer, _: object, done?: () => void) {
        written.push(String(data).slice(0, 8));
        if (done === undefined) taken.shift()?.();
        else taken.push(done);
      },
    };
    const member = peer({ wire, maxWaitingBytes: 9 * MIB, maxWaitingPackets: 99, slow: () => undefined });
    for (let n = 0; n < 2; n += 1) member.send(numbered(n, MIB / 2));
    member.send(binary(Buffer.from('part')));
    member.send(numbered(2));
    taken.shift()?.();
    expect(written).toEqual(['2["e",0,', '2["e",1,', '51-["e",', 'part', '2["e",2,']);
  });

  test('may poll: it is given text, and what is taken while it is written is counted too', () => {
    const written: unknown[] = [];
    const waiting: number[] = [];
    const wire = {
      transport: { name: 'polling' },
      write(data: unknown, options: object, taken?: () => void) {
        written.push(data, options);
        taken?.();
      },
    };
    const backlog = { add: (bytes: number) => void waiting.push(bytes) };
    const slow = (): void => undefined;
    const member = peer({ wire, maxWaitingBytes: 100, maxWaitingPackets: 1, backlog, slow });
    for (let i = 0; i < 3; i += 1) member.send(eventFrame('e', [i]));
    const plain = { compress: false };
    expect(written).toEqual(['2["e",0]', plain, '2["e",1]', plain, '2["e",2]', plain]);
    expect(waiting.reduce((sum, bytes) => sum + bytes, 0)).toBe(0);
  });
});

describe('an open WebSocket', () => {
  const webSocket = (more: object = {}) => {
    const sent: string[] = [];
    const through: string[] = [];
    const done: Array<(error?: Error) => void> = [];
    const wire = {
      readyState: 'open',
      writeBuffer: [] as unknown[],
      upgrading: false,
      transport: {
        name: 'websocket',
        socket: {
          readyState: 1,
          _sender: {
            sendFrame([, data]: readonly Buffer[], taken?: (error?: Error) => void) {
              sent.push(String(data));
              if (taken !== undefined) done.push(taken);
            },
          },
        },
      },
      write: (_: unknown, options: { wsPreEncodedFrame?: Buffer[] }) =>
        void through.push(String(options.wsPreEncodedFrame?.[1])),
      ...more,
    };
    const slow: number[] = [];
    const member = peer({ wire, maxWaitingBytes: 1_000, maxWaitingPackets: 10, slow: (bytes) => slow.push(bytes) });
    return { wire, member, sent, through, done, slow };
  };

  test('is given frames without the queue of the library', () => {
    const { member, sent, through, done } = webSocket();
    member.send(eventFrame('e', [1]));
    member.send(eventFrame('e', [2]));
    expect([sent, through]).toEqual([['42["e",1]', '42["e",2]'], []]);
    for (const taken of done) taken();
    member.send(eventFrame('e', [3]));
    expect(sent).toHaveLength(3);
  });

  test('is given them behind what the library has not sent yet', () => {
    const { wire, member, sent, through } = webSocket();
    wire.writeBuffer.push('CONNECT');
    member.send(eventFrame('e', [1]));
    expect([sent, through]).toEqual([[], ['42["e",1]']]);
  });

  test.each([
    ['is about to be closed', { readyState: 'closing' }],
    ['is about to change the transport', { upgrading: true }],
    ['polls', { transport: { name: 'polling' } }],
    ['is closing underneath', { transport: { name: 'websocket', socket: { readyState: 2 } } }],
  ])('is left to the library where the connection %s', (_, more) => {
    const { member, sent, through } = webSocket(more);
    member.send(eventFrame('e', [1]));
    expect([sent, through.length]).toEqual([[], 1]);
  });

  test('that failed is given nothing more, and what waits goes on counting', () => {
    const { member, sent, done, slow } = webSocket();
    member.send(eventFrame('e', ['x'.repeat(600)]));
    done[0]?.(new Error('write after end'));
    member.send(eventFrame('e', ['x'.repeat(600)]));
    expect([sent.length, slow.length]).toEqual([1, 1]);
  });
});
