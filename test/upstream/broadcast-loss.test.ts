import { afterEach, describe, expect, test } from 'vitest';
import { listen, refusing, relay, start, stopAll } from '../support/broadcast-upstream.ts';
import { until } from '../support/socket-door.ts';

afterEach(stopAll);

describe('an upstream that goes away', () => {
  test('is found again when it is back, with one connection and the gap', async () => {
    let clock = 1_000;
    const first = await start();
    const { broadcast, events, gaps, kinds } = listen(first.port, () => clock);
    await until(() => events.length === 1);
    clock = 2_000;
    first.io.emit('session_update', { n: 1 });
    await until(() => events.length === 2);
    clock = 3_000;
    await first.kill();
    await until(() => !broadcast.connected());
    clock = 9_000;
    const second = await start(first.port);
    await until(() => gaps.length === 1 && broadcast.connected());
    expect(gaps).toEqual([[2_000, 9_000]]);
    second.io.emit('session_update', { n: 2 });
    await until(() => events.at(-1)?.payload.n === 2);
    expect(second.connections()).toBe(1);
    expect(second.open()).toBe(1);
    expect(kinds()).toEqual(['broadcast-connected', 'broadcast-lost', 'broadcast-connected']);
  });

  test('is waited for when it was never there, and what it may have said since then is a gap', async () => {
    let clock = 1_000;
    const closedDoor = await refusing();
    const { broadcast, gaps } = listen(closedDoor.port, () => clock);
    await until(() => closedDoor.attempts() >= 3);
    expect(broadcast.connected()).toBe(false);
    await closedDoor.stop();
    clock = 4_000;
    const server = await start(closedDoor.port);
    await until(() => gaps.length > 0);
    expect(server.connections()).toBe(1);
    expect(gaps).toEqual([[1_000, 4_000]]);
  });

  test('is heard from the first without a gap when it is there', async () => {
    const server = await start();
    const { broadcast, gaps } = listen(server.port);
    await until(() => broadcast.connected());
    expect(gaps).toEqual([]);
  });

  test('is asked again when it ends or refuses the namespace', async () => {
    const server = await start();
    const { broadcast, gaps, kinds } = listen(server.port);
    await until(() => broadcast.connected());
    let refusals = 2;
    server.io.use((_, next) => {
      refusals -= 1;
      next(refusals >= 0 ? new Error('Unable to connect') : undefined);
    });
    server.io.disconnectSockets();
    await until(() => broadcast.connected() && gaps.length === 1);
    expect(kinds().filter((kind) => kind === 'broadcast-refused')).toHaveLength(2);
    expect(server.open()).toBe(1);
  });

  test('without a word is missed from when it was last heard, and its connection does not stay beside the next', async () => {
    let clock = 1_000;
    const server = await start(0, { pingInterval: 50, pingTimeout: 50 });
    const line = await relay(server.port);
    const { broadcast, events, gaps, notices } = listen(line.port, () => clock);
    await until(() => events.length === 1);
    clock = 2_000;
    server.io.emit('session_update', { n: 1 });
    await until(() => events.length === 2);
    clock = 3_000;
    const beats = server.beats();
    // The answer to a ping that was sent after the clock had moved on.
    await until(() => server.beats() > beats + 1);
    line.mute();
    clock = 5_000;
    server.io.emit('session_update', { n: 2 });
    await until(() => !broadcast.connected());
    clock = 7_000;
    await until(() => broadcast.connected());
    expect(gaps).toEqual([[3_000, 7_000]]);
    expect(notices.map(({ detail }) => detail)).toContain('ping timeout');
    server.io.emit('session_update', { n: 3 });
    await until(() => events.at(-1)?.payload.n === 3);
    expect(events.map(({ payload }) => payload.n)).toEqual([undefined, 1, undefined, 3]);
    await until(() => line.open() === 1);
    expect(line.most()).toBe(1);
    await line.stop();
  });

  test('has one connection at most, whether it is killed, ends or refuses the namespace, or does not answer', async () => {
    const options = { pingInterval: 50, pingTimeout: 50 };
    let server = await start(0, options);
    const line = await relay(server.port);
    const { broadcast, events, kinds } = listen(line.port, Date.now, ({ kind }) => {
      // The closing handshake that follows is never answered.
      if (kind === 'broadcast-refused') line.mute();
    });
    for (let n = 1; n <= 3; n += 1) {
      await until(() => broadcast.connected());
      server.io.emit('session_update', { n });
      await until(() => events.at(-1)?.payload.n === n);
      await server.kill();
      await until(() => !broadcast.connected());
      server = await start(server.port, options);
      await until(() => broadcast.connected());
      let refusals = 2;
      server.io.use((_, next) => {
        refusals -= 1;
        next(refusals >= 0 ? new Error('Unable to connect') : undefined);
      });
      server.io.disconnectSockets();
      await until(() => refusals < 0 && broadcast.connected());
      line.mute();
      await until(() => !broadcast.connected());
    }
    await until(() => broadcast.connected());
    await until(() => line.open() === 1);
    expect(kinds().filter((kind) => kind === 'broadcast-refused')).toHaveLength(6);
    expect(line.most()).toBe(1);
    await line.stop();
  });

  test('and never answers again is let go of after close', async () => {
    const server = await start();
    const line = await relay(server.port);
    const { broadcast } = listen(line.port);
    await until(() => broadcast.connected());
    line.mute();
    broadcast.close();
    await until(() => line.open() === 0);
    await line.stop();
  });

  test('is left alone after close', async () => {
    const [left, asked] = [await refusing(), await refusing()];
    const { broadcast } = listen(left.port);
    await until(() => left.attempts() >= 2);
    broadcast.close();
    const attempts = left.attempts();
    listen(asked.port);
    await until(() => asked.attempts() >= 6);
    expect(left.attempts()).toBe(attempts);
    await Promise.all([left.stop(), asked.stop()]);
  });
});
