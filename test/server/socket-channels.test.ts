import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import type { Mode } from '../../src/model/mode.ts';
import { eventFrame, ownerChannels, type Peer, peer, type Seat } from '../../src/server/socket-channels.ts';

const wire = () => {
  const sent: Array<() => void> = [];
  const texts: string[] = [];
  return {
    texts,
    flush() {
      for (const done of sent.splice(0)) done();
    },
    write(text: string, _: object, done: () => void) {
      texts.push(text);
      sent.push(done);
    },
  };
};

const limited = (maxWaitingBytes: number, maxWaitingPackets: number) => {
  const line = wire();
  const slow: number[] = [];
  const member = peer({ wire: line, maxWaitingBytes, maxWaitingPackets, slow: (bytes) => slow.push(bytes) });
  return { ...line, slow, member };
};

describe('eventFrame', () => {
  test.each([
    [0, 2],
    [125, 2],
    [126, 4],
    [65_535, 4],
    [65_536, 10],
  ])('frames %i bytes behind a header of %i', (size, headerBytes) => {
    const overhead = eventFrame('e', ['']).bytes;
    const frame = eventFrame('e', ['x'.repeat(Math.max(0, size - overhead))]);
    const { wsPreEncodedFrame: parts } = frame.options as { wsPreEncodedFrame: [Buffer, Buffer] };
    expect(frame.bytes).toBe(Math.max(size, overhead));
    expect(parts[0]).toHaveLength(headerBytes);
    expect(parts[0][0]).toBe(0x81);
    expect(parts[1].toString()).toBe(`4${frame.text}`);
  });

  test('holds a Socket.IO event', () => {
    expect(eventFrame('pong', [{ a: 1 }]).text).toBe('2["pong",{"a":1}]');
    expect(eventFrame('pong', []).text).toBe('2["pong"]');
  });
});

describe('a peer', () => {
  test('that does not read is cut off when too many bytes wait', () => {
    const { member, slow, texts, flush } = limited(1_000, 100);
    const frame = eventFrame('e', ['x'.repeat(600)]);
    for (let i = 0; i < 3; i += 1) member.send(frame);
    expect(texts).toHaveLength(2);
    expect(slow).toEqual([2 * frame.bytes]);
    flush();
    member.send(frame);
    expect(texts).toHaveLength(3);
  });

  test('that does not read is cut off when too many packets wait', () => {
    const { member, slow, texts } = limited(1_000, 2);
    for (let i = 0; i < 3; i += 1) member.send(eventFrame('e', []));
    expect(texts).toHaveLength(2);
    expect(slow).toHaveLength(1);
  });

  test('that reads is sent even one message that is larger than the bound', () => {
    const { member, slow, texts } = limited(1_000, 10);
    member.send(eventFrame('e', ['x'.repeat(5_000)]));
    expect(texts).toHaveLength(1);
    expect(slow).toEqual([]);
  });
});

describe('channels', () => {
  test('are forgotten with their last member', () => {
    const channels = ownerChannels();
    const members: Peer[] = [{ send: () => undefined }, { send: () => undefined }];
    const seats = members.map((member) => channels.add(member, 'demo|alice', 'enforce'));
    expect([channels.size, channels.owners]).toEqual([2, 1]);
    for (const seat of seats) channels.remove(seat);
    for (const seat of seats) channels.remove(seat);
    expect([channels.size, channels.owners]).toEqual([0, 0]);
  });

  test('encode an event once, and not at all when nobody hears it', () => {
    const channels = ownerChannels();
    let encoded = 0;
    const toJSON = (): string => {
      encoded += 1;
      return `encoded ${encoded} times`;
    };
    const payload = { toJSON } as unknown as Record<string, string>;
    const first = limited(1_000, 10);
    const second = limited(1_000, 10);
    expect(channels.send('demo|alice', 'e', payload)).toBe(0);
    channels.add(first.member, 'demo|alice', 'enforce');
    channels.add(second.member, 'demo|alice', 'enforce');
    expect(channels.send('demo|alice', 'e', payload)).toBe(2);
    expect([first.texts, second.texts]).toEqual([['2["e","encoded 1 times"]'], ['2["e","encoded 1 times"]']]);
  });

  test('cost what the owner has open, not what all have', () => {
    const channels = ownerChannels();
    const sent: number[] = [];
    for (let i = 0; i < 10_000; i += 1) channels.add({ send: () => sent.push(i) }, `demo|${i}`, 'enforce');
    channels.send('demo|7', 'e', {});
    expect(sent).toEqual([7]);
  });

  test('may lose a member while they are sending', () => {
    const channels = ownerChannels();
    const send = (): void => {
      for (const seat of seats) channels.remove(seat);
    };
    const seats = [1, 2, 3].map(() => channels.add({ send }, 'o', 'enforce'));
    expect(channels.send('o', 'e', {})).toBe(3);
    expect(channels.size).toBe(0);
  });
});

describe('a broadcast', () => {
  const room = (...sockets: ReadonlyArray<readonly [name: string, owner: string | undefined, mode: Mode]>) => {
    const heard: string[] = [];
    const channels = ownerChannels();
    const seats = sockets.map(([name, owner, mode]) =>
      channels.add({ send: ({ text }) => heard.push(`${name} ${text}`) }, owner, mode),
    );
    const seat = (index: number): Seat => seats[index] ?? Object.create(null);
    return { heard, channels, seat };
  };

  test('is heard by those that the policy is not in effect for, and by no others', () => {
    const { heard, channels } = room(
      ['alice', 'demo|alice', 'enforce'],
      ['bob', 'demo|bob', 'shadow'],
      ['nobody', undefined, 'shadow'],
      ['off', undefined, 'off'],
    );
    expect(channels.broadcast('e', {})).toBe(3);
    expect(heard).toEqual(['bob 2["e",{}]', 'nobody 2["e",{}]', 'off 2["e",{}]']);
    expect(channels.inShadow('demo|bob')).toEqual({ all: 2, others: 1 });
    expect(channels.inShadow('demo|alice')).toEqual({ all: 2, others: 2 });
    expect(channels.inShadow(undefined)).toEqual({ all: 2, others: 2 });
  });

  test('is not even encoded when there are none', () => {
    const { channels } = room(['alice', 'demo|alice', 'enforce']);
    const payload = {
      toJSON() {
        throw new Error('encoded');
      },
    } as unknown as JsonObject;
    expect(channels.broadcast('e', payload)).toBe(0);
  });

  test('is heard once by a socket that is its owner’s as well', () => {
    const { heard, channels } = room(['bob', 'demo|bob', 'shadow'], ['bob 2', 'demo|bob', 'enforce']);
    const payload = {};
    channels.broadcast('e', payload);
    expect(channels.send('demo|bob', 'e', payload)).toBe(1);
    expect(heard).toEqual(['bob 2["e",{}]', 'bob 2 2["e",{}]']);
  });

  test('that waits for its owner while a socket becomes enforced is not heard again', () => {
    const { heard, channels, seat } = room(['bob', 'demo|bob', 'shadow'], ['nobody', undefined, 'shadow']);
    const [before, after] = [{ n: 1 }, { n: 2 }];
    channels.broadcast('e', before);
    channels.move(seat(0), 'enforce');
    channels.broadcast('e', after);
    for (const payload of [before, after]) channels.send('demo|bob', 'e', payload);
    expect(heard.filter((line) => line.startsWith('bob'))).toEqual(['bob 2["e",{"n":1}]', 'bob 2["e",{"n":2}]']);
    expect(channels.inShadow('demo|bob')).toEqual({ all: 1, others: 1 });
  });

  test('that waits for its owner while a socket goes into shadow is not lost to it', () => {
    const { heard, channels, seat } = room(['bob', 'demo|bob', 'enforce'], ['nobody', undefined, 'shadow']);
    const [before, after] = [{ n: 1 }, { n: 2 }];
    channels.broadcast('e', before);
    channels.move(seat(0), 'shadow');
    channels.broadcast('e', after);
    for (const payload of [before, after]) channels.send('demo|bob', 'e', payload);
    expect(heard.filter((line) => line.startsWith('bob')).sort()).toEqual(['bob 2["e",{"n":1}]', 'bob 2["e",{"n":2}]']);
  });

  test('is heard by nobody who has left, and leaves no count behind', () => {
    const { heard, channels, seat } = room(['bob', 'demo|bob', 'shadow'], ['nobody', undefined, 'off']);
    channels.move(seat(0), 'off');
    channels.move(seat(1), 'shadow');
    channels.remove(seat(0));
    channels.remove(seat(1));
    channels.move(seat(1), 'shadow');
    expect(channels.broadcast('e', {})).toBe(0);
    expect([heard, channels.size, channels.inShadow(undefined)]).toEqual([[], 0, { all: 0, others: 0 }]);
  });
});
