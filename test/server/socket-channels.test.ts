import { describe, expect, test } from 'vitest';
import { eventFrame, ownerChannels, type Peer, peer } from '../../src/server/socket-channels.ts';

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
    for (const member of members) channels.add('demo|alice', member);
    expect([channels.size, channels.owners]).toEqual([2, 1]);
    for (const member of members) channels.remove('demo|alice', member);
    for (const member of members) channels.remove('demo|alice', member);
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
    channels.add('demo|alice', first.member);
    channels.add('demo|alice', second.member);
    expect(channels.send('demo|alice', 'e', payload)).toBe(2);
    expect([first.texts, second.texts]).toEqual([['2["e","encoded 1 times"]'], ['2["e","encoded 1 times"]']]);
  });

  test('cost what the owner has open, not what all have', () => {
    const channels = ownerChannels();
    const sent: number[] = [];
    for (let i = 0; i < 10_000; i += 1) channels.add(`demo|${i}`, { send: () => sent.push(i) });
    channels.send('demo|7', 'e', {});
    expect(sent).toEqual([7]);
  });

  test('may lose a member while they are sending', () => {
    const channels = ownerChannels();
    const send = (): void => {
      for (const member of members) channels.remove('o', member);
    };
    const members: Peer[] = [{ send }, { send }, { send }];
    for (const member of members) channels.add('o', member);
    expect(channels.send('o', 'e', {})).toBe(3);
    expect(channels.size).toBe(0);
  });
});
