import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import type { Mode } from '../../src/model/mode.ts';
import { ownerChannels, type Seat } from '../../src/server/socket-channels.ts';
import { unfilteredPlaces } from '../../src/server/socket-unfiltered.ts';

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
    expect(channels.broadcast({ name: 'e', payload: {} })).toBe(3);
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
    expect(channels.broadcast({ name: 'e', payload })).toBe(0);
  });

  test('is heard once by a socket that is its owner’s as well', () => {
    const { heard, channels } = room(['bob', 'demo|bob', 'shadow'], ['bob 2', 'demo|bob', 'enforce']);
    const payload = {};
    channels.broadcast({ name: 'e', payload });
    expect(channels.send('demo|bob', { name: 'e', payload }, [])).toBe(1);
    expect(heard).toEqual(['bob 2["e",{}]', 'bob 2 2["e",{}]']);
  });

  test('that waits for its owner while a socket becomes enforced is not heard again', () => {
    const { heard, channels, seat } = room(['bob', 'demo|bob', 'shadow'], ['nobody', undefined, 'shadow']);
    const [before, after] = [{ n: 1 }, { n: 2 }];
    channels.broadcast({ name: 'e', payload: before });
    channels.move(seat(0), 'enforce');
    channels.broadcast({ name: 'e', payload: after });
    for (const payload of [before, after]) channels.send('demo|bob', { name: 'e', payload }, []);
    expect(heard.filter((line) => line.startsWith('bob'))).toEqual(['bob 2["e",{"n":1}]', 'bob 2["e",{"n":2}]']);
    expect(channels.inShadow('demo|bob')).toEqual({ all: 1, others: 1 });
  });

  test('that waits for its owner while a socket goes into shadow is not lost to it', () => {
    const { heard, channels, seat } = room(['bob', 'demo|bob', 'enforce'], ['nobody', undefined, 'shadow']);
    const [before, after] = [{ n: 1 }, { n: 2 }];
    channels.broadcast({ name: 'e', payload: before });
    channels.move(seat(0), 'shadow');
    channels.broadcast({ name: 'e', payload: after });
    for (const payload of [before, after]) channels.send('demo|bob', { name: 'e', payload }, []);
    expect(heard.filter((line) => line.startsWith('bob')).sort()).toEqual(['bob 2["e",{"n":1}]', 'bob 2["e",{"n":2}]']);
  });

  test('is heard by nobody who has left, and leaves no count behind', () => {
    const { heard, channels, seat } = room(['bob', 'demo|bob', 'shadow'], ['nobody', undefined, 'off']);
    channels.move(seat(0), 'off');
    channels.move(seat(1), 'shadow');
    channels.remove(seat(0));
    channels.remove(seat(1));
    channels.move(seat(1), 'shadow');
    expect(channels.broadcast({ name: 'e', payload: {} })).toBe(0);
    expect([heard, channels.size, channels.inShadow(undefined)]).toEqual([[], 0, { all: 0, others: 0 }]);
  });
});

test('an event that was never broadcast has no number', () => {
  const unfiltered = unfilteredPlaces();
  const payload = {};
  expect(unfiltered.numberOf(payload)).toBeUndefined();
  const place = { peer: { send: () => undefined }, owner: undefined, mode: 'enforce', from: 0, to: 0 } as const;
  unfiltered.move({ ...place }, 'shadow');
  unfiltered.broadcast({ name: 'e', payload });
  expect([unfiltered.numberOf(payload), unfiltered.numberOf({})]).toEqual([1, undefined]);
});
