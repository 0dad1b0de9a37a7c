import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import type { Mode } from '../../src/model/mode.ts';
import { EVENT_BYTES } from '../../src/realtime/missed.ts';
import { ownerChannels, type Seat } from '../../src/server/socket-channels.ts';
import { eventFrame } from '../../src/server/socket-frame.ts';
import type { Peer } from '../../src/server/socket-peer.ts';
import { testHistory } from '../support/history.ts';
import { limited } from '../support/wire-peer.ts';

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
    expect(channels.send('demo|alice', { name: 'e', payload }, [])).toBe(0);
    channels.add(first.member, 'demo|alice', 'enforce');
    channels.add(second.member, 'demo|alice', 'enforce');
    expect(channels.send('demo|alice', { name: 'e', payload }, [])).toBe(2);
    expect([first.texts, second.texts]).toEqual([['2["e","encoded 1 times"]'], ['2["e","encoded 1 times"]']]);
  });

  test('cost what the owner has open, not what all have', () => {
    const channels = ownerChannels();
    const sent: number[] = [];
    for (let i = 0; i < 10_000; i += 1) channels.add({ send: () => sent.push(i) }, `demo|${i}`, 'enforce');
    channels.send('demo|7', { name: 'e', payload: {} }, []);
    expect(sent).toEqual([7]);
  });

  test('may lose members while they are sending: those are not sent to any more, the others are', () => {
    const channels = ownerChannels();
    const heard: number[] = [];
    const seats = [0, 1, 2, 3].map((n) =>
      channels.add(
        {
          send() {
            heard.push(n);
            if (n === 1) for (const index of [0, 1, 2]) channels.remove(seats[index] ?? expect.fail());
          },
        },
        'o',
        'enforce',
      ),
    );
    expect(channels.send('o', { name: 'e', payload: {} }, [])).toBe(3);
    expect([heard, channels.size]).toEqual([[0, 1, 3], 1]);
  });
});

describe('a socket that can come back', () => {
  const ALICE = 'demo|alice';

  /** Sockets of Alice that are open; those that take part stand at the head of her log. */
  const room = (sockets: Readonly<Record<string, 'follows' | 'plain' | 'reads'>>) => {
    const memory = testHistory();
    const { missed } = memory;
    const channels = ownerChannels(memory.history);
    const heard: string[] = [];
    const log = missed.begin(ALICE) ?? expect.fail();
    const start = log.head;
    const open = (name: string, way: string) => {
      const seat = channels.add({ send: ({ text }) => heard.push(`${name} ${text}`) }, ALICE, 'enforce');
      const reader = way === 'plain' ? undefined : channels.follow(seat, log, log.head);
      if (way === 'follows') reader?.goLive();
      return { seat, reader };
    };
    const seats = Object.fromEntries(Object.entries(sockets).map(([name, way]) => [name, open(name, way)]));
    return {
      ...memory,
      channels,
      heard,
      log,
      start,
      open,
      at: (name: string) => seats[name] ?? expect.fail(),
      say: (n: number): number => channels.send(ALICE, { name: 'e', payload: { n } }, memory.session('s1', ALICE)),
      kept: () => {
        const found = missed.since(ALICE, log.epoch, start);
        return found === 'lost' ? found : found.map(({ kept }) => kept.text);
      },
    };
  };

  test('gets each event with its offset, and one that cannot gets the same without', () => {
    const { say, heard, start } = room({ page: 'follows', program: 'plain' });
    expect([say(1), say(2)]).toEqual([2, 2]);
    expect(heard).toEqual([
      `page 2["e",{"n":1},"${start + 1}"]`,
      'program 2["e",{"n":1}]',
      `page 2["e",{"n":2},"${start + 2}"]`,
      'program 2["e",{"n":2}]',
    ]);
  });

  test.each([
    ['all take part', { a: 'follows', b: 'follows' }],
    ['some do', { a: 'follows', b: 'plain', c: 'plain' }],
    ['all are away', {}],
  ] as const)('costs one encoding an event where %s', (_, sockets) => {
    const { channels, session, kept } = room(sockets);
    let encoded = 0;
    const toJSON = () => {
      encoded += 1;
      return 'once';
    };
    channels.send(ALICE, { name: 'e', payload: { toJSON } as unknown as JsonObject }, session('s1', ALICE));
    expect([encoded, kept().length]).toEqual([1, 1]);
  });

  test('has what was sent in the log, as it was sent, when all are away', () => {
    const { say, heard, at, channels, kept, start } = room({ page: 'follows' });
    channels.remove(at('page').seat);
    expect([say(1), say(2)]).toEqual([0, 0]);
    expect(kept()).toEqual([`2["e",{"n":1},"${start + 1}"]`, `2["e",{"n":2},"${start + 2}"]`]);
    expect(heard).toEqual([]);
  });

  test('is what anything is kept for: nothing is for an owner who has no log', () => {
    const { channels, missed, session } = room({});
    expect(channels.send('demo|bob', { name: 'e', payload: {} }, session('s2', 'demo|bob'))).toBe(0);
    expect(missed.held()).toEqual({ owners: 1, events: 0, bytes: 0 });
  });

  test('hears nothing while it reads, and everything from when it goes live', () => {
    const { say, heard, at, start } = room({ page: 'reads', other: 'follows' });
    const { reader = expect.fail() } = at('page');
    expect(say(1)).toBe(1);
    expect([reader.open, reader.offset]).toEqual([true, start]);
    reader.pass(start + 1);
    reader.goLive();
    expect(say(2)).toBe(2);
    expect(heard.filter((line) => line.startsWith('page'))).toEqual([`page 2["e",{"n":2},"${start + 2}"]`]);
  });

  test('is told what is for it alone at the place where it stands', () => {
    const { channels, heard, say, at, start } = room({ page: 'reads', other: 'follows', program: 'plain' });
    say(1);
    heard.length = 0;
    for (const name of ['page', 'other', 'program']) channels.say(at(name).seat, eventFrame('pong', ['x']));
    expect(heard).toEqual([
      `page 2["pong","x","${start}"]`,
      `other 2["pong","x","${start + 1}"]`,
      'program 2["pong","x"]',
    ]);
    channels.remove(at('page').seat);
    channels.say(at('page').seat, eventFrame('pong', ['y']));
    expect(heard).toHaveLength(3);
  });

  test('leaves the log when it goes, once', () => {
    const { channels, at, log } = room({ page: 'reads', other: 'follows' });
    expect(log.sockets).toBe(2);
    for (let times = 0; times < 2; times += 1) channels.remove(at('page').seat);
    expect([log.sockets, at('page').reader?.open]).toEqual([1, false]);
  });

  test('takes part no more when the policy is not in effect for it, and its place is no good to it after that', () => {
    const { channels, heard, say, at, log, start } = room({ page: 'follows' });
    channels.move(at('page').seat, 'enforce');
    expect([heard, log.sockets]).toEqual([[], 1]);
    channels.move(at('page').seat, 'shadow');
    expect(heard).toEqual(['page 2["gateway",{"type":"history","recovered":false},""]']);
    expect([log.sockets, at('page').reader?.open]).toEqual([0, false]);
    channels.move(at('page').seat, 'enforce');
    say(1);
    expect(heard.slice(1)).toEqual(['page 2["e",{"n":1}]']);
    expect(channels.follow(at('page').seat, log, start)).toBeDefined();
    expect([channels.follow(at('page').seat, log, start), log.sockets]).toEqual([undefined, 1]);
  });

  test.each(['shadow', 'off'] as const)('does not take part in mode %s', (mode) => {
    const { channels, log, start } = room({});
    const seat = channels.add({ send: () => undefined }, ALICE, mode);
    expect([channels.follow(seat, log, start), log.sockets]).toEqual([undefined, 0]);
  });

  test('does not follow a log that is over', () => {
    const { channels, log, start, missed } = room({});
    const seat = channels.add({ send: () => undefined }, ALICE, 'enforce');
    missed.close();
    expect(channels.follow(seat, log, start)).toBeUndefined();
  });

  test('is not in the log with an event that could not be encoded', () => {
    const { channels, session, kept, log, start } = room({ page: 'follows' });
    const payload = {
      toJSON() {
        throw new RangeError('too deep');
      },
    } as unknown as JsonObject;
    expect(() => channels.send(ALICE, { name: 'e', payload }, session('s1', ALICE))).toThrow(RangeError);
    expect([kept(), log.head]).toEqual([[], start]);
  });

  test('has binary events kept with their parts, and these are counted as the memory that they hold', () => {
    const { channels, session, missed, start, log } = room({ page: 'follows' });
    const part = Buffer.alloc(100_000).subarray(0, 10);
    const payload = { image: { _placeholder: true, num: 0 } };
    channels.send(ALICE, { name: 'e', payload, attachments: [part] }, session('s1', ALICE));
    const [found] = missed.since(ALICE, log.epoch, start);
    if (typeof found !== 'object') return expect.fail();
    expect(found.kept.text).toBe(`51-["e",{"image":{"_placeholder":true,"num":0}},"${start + 1}"]`);
    expect(found.kept.attachments.map(({ data }) => data)).toEqual([part]);
    expect(missed.held().bytes).toBe(100_000 + found.kept.text.length + EVENT_BYTES);
  });

  test('has text counted as the memory that it holds', () => {
    const { channels, session, missed } = room({});
    const weigh = (text: string): number => {
      const before = missed.held().bytes;
      channels.send(ALICE, { name: 'e', payload: { text } }, session('s1', ALICE));
      return missed.held().bytes - before;
    };
    const bare = weigh('');
    expect(weigh('x'.repeat(1_000)) - bare).toBe(1_000);
    expect(weigh('字'.repeat(1_000)) - bare).toBe(2 * 1_000 + (bare - EVENT_BYTES));
  });
});

describe('an announcement', () => {
  const NOTICE = '"gateway",{"type":"gap","sinceMillis":1,"untilMillis":2}';
  const GAP = { type: 'gap', sinceMillis: 1, untilMillis: 2 };

  test('reaches every socket that the policy is in effect for, and is in every log', () => {
    const { history, missed } = testHistory();
    const channels = ownerChannels(history);
    const heard: string[] = [];
    const add = (name: string, owner: string | undefined, mode: Mode): Seat =>
      channels.add({ send: ({ text }) => heard.push(`${name} ${text}`) }, owner, mode);
    const [away, alice] = [missed.begin('demo|away'), missed.begin('demo|alice')];
    if (away === undefined || alice === undefined) return expect.fail();
    const page = channels.follow(add('page', 'demo|alice', 'enforce'), alice, alice.head);
    page?.goLive();
    channels.follow(add('reader', 'demo|alice', 'enforce'), alice, alice.head);
    add('bob', 'demo|bob', 'enforce');
    add('shadow', 'demo|carol', 'shadow');
    add('nobody', undefined, 'off');
    expect(channels.announce(GAP)).toBe(2);
    expect(heard).toEqual([`page 2[${NOTICE},"${alice.head}"]`, `bob 2[${NOTICE}]`]);
    for (const [owner, log] of [
      ['demo|away', away],
      ['demo|alice', alice],
    ] as const) {
      const found = missed.since(owner, log.epoch, log.head - 1);
      expect(found).toMatchObject([{ kept: { text: `2[${NOTICE},"${log.head}"]` }, refs: [] }]);
    }
  });

  test('is a plain event where nothing is kept', () => {
    const channels = ownerChannels();
    const heard: string[] = [];
    channels.add({ send: ({ text }) => heard.push(text) }, 'demo|alice', 'enforce');
    expect([channels.announce(GAP), heard]).toEqual([1, [`2[${NOTICE}]`]]);
  });
});
