/** A page that loses its connection and comes back, with the client library as it is: nothing twice, nothing lost. */
import type { Socket } from 'socket.io-client';
import { afterEach, describe, expect, test } from 'vitest';
import { listen, start, stopAll } from '../support/broadcast-upstream.ts';
import { missedRule, type TestHistory, testHistory } from '../support/history.ts';
import { connected, type Door, openDoor, until } from '../support/socket-door.ts';

let door: Door;
let memory: TestHistory;
afterEach(async () => {
  await stopAll();
  await door.stop();
  memory.missed.close();
});

const BROWSER = { extraHeaders: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)' } };

const open = async (options: Parameters<typeof testHistory>[0] = {}): Promise<void> => {
  memory = testHistory(options);
  door = await openDoor({ history: memory.history });
};

/** Sends an event of Alice's session; returns how many sockets heard it. */
const send = (n: number): number =>
  door.channels.send('demo|alice', { name: 'session_update', payload: { n } }, memory.session('s1', 'demo|alice'));

/** A client that keeps what it heard: the numbers of events, and the gateway's own notices. */
const page = async (auth: object = {}, more: object = BROWSER) => {
  const client = door.client(
    { token: 'alice-token', ...auth },
    { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 20, ...more },
  );
  const heard: number[] = [];
  const notices: unknown[] = [];
  const argumentsOf: unknown[][] = [];
  client.on('session_update', (...args: unknown[]) => {
    argumentsOf.push(args);
    heard.push((args[0] as { n: number }).n);
  });
  client.on('gateway', (notice) => notices.push(notice));
  await connected(client);
  await until(() => door.count() > 0);
  return { client, heard, notices, argumentsOf };
};

/** Cuts all connections without a word, and resolves when the sockets are gone. */
const cut = async (): Promise<void> => {
  for (const transport of door.transports) transport.destroy();
  await until(() => door.count() === 0);
};

/** Keeps a client away until it may come back. */
const hold = (client: Socket): (() => Promise<void>) => {
  client.io.reconnection(false);
  return async () => {
    await until(() => !client.connected);
    client.io.reconnection(true);
    client.connect();
  };
};

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

describe('a page that loses its connection', () => {
  test('gets what it missed once and in order, and its client knows that it recovered', async () => {
    await open();
    const { client, heard, notices, argumentsOf } = await page();
    expect([send(1), client.recovered]).toEqual([1, false]);
    await until(() => heard.length === 1);
    const comeBack = hold(client);
    await cut();
    for (const n of [2, 3, 4]) expect(send(n)).toBe(0);
    await comeBack();
    await until(() => notices.length === 1);
    send(5);
    await until(() => heard.length === 5);
    expect(heard).toEqual(upTo(5));
    expect(notices).toEqual([{ type: 'history', recovered: true, missed: 3 }]);
    expect(client.recovered).toBe(true);
    // A handler with one parameter, as the page's, sees what it always did.
    expect(argumentsOf.map(([payload]) => payload)).toEqual(upTo(5).map((n) => ({ n })));
  });

  test('hears each event once and in order, however often it does and whenever', async () => {
    await open();
    const { client, heard } = await page();
    const total = 400;
    for (let n = 1; n <= total; n += 1) {
      send(n);
      if (n % 37 === 0) for (const transport of door.transports) transport.destroy();
      if (n % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (n % 50 === 0) await until(() => client.connected);
    }
    await until(() => heard.length >= total);
    expect(heard).toEqual(upTo(total));
    expect(memory.returned.filter(({ recovered }) => !recovered)).toEqual([]);
    expect(memory.returned.length).toBeGreaterThan(2);
  });

  test('before it heard anything gets all that came after', async () => {
    await open();
    const { client, heard } = await page();
    await until(() => memory.missed.of('demo|alice')?.sockets === 1);
    const comeBack = hold(client);
    await cut();
    send(1);
    await comeBack();
    await until(() => heard.length === 1);
    expect([heard, client.recovered]).toEqual([[1], true]);
  });

  test('is told that history was lost when it was away for too long, and goes on hearing', async () => {
    await open();
    const { client, heard, notices } = await page();
    send(1);
    await until(() => heard.length === 1);
    const comeBack = hold(client);
    await cut();
    send(2);
    memory.advance(missedRule.ageMillis + 1);
    await comeBack();
    await until(() => notices.length === 1);
    send(3);
    await until(() => heard.length === 2);
    expect([heard, notices, client.recovered]).toEqual([[1, 3], [{ type: 'history', recovered: false }], false]);
    const again = hold(client);
    await cut();
    send(4);
    await again();
    await until(() => heard.length === 3);
    expect([heard, client.recovered]).toEqual([[1, 3, 4], true]);
  });

  test('keeps its place though it was answered a ping that ends in a text', async () => {
    await open();
    const { client, heard } = await page();
    send(1);
    const pong = new Promise((resolve) => client.once('pong', resolve));
    client.emit('ping', '7');
    expect(await pong).toBe('7');
    const comeBack = hold(client);
    await cut();
    send(2);
    await comeBack();
    await until(() => heard.length === 2);
    expect([heard, client.recovered]).toEqual([upTo(2), true]);
  });

  test('does so alone: the other tab of its user hears everything as it comes', async () => {
    await open();
    const [first, second] = [await page(), await page()];
    await until(() => door.count() === 2);
    send(1);
    await until(() => first.heard.length + second.heard.length === 2);
    const comeBack = hold(first.client);
    first.client.io.engine.close();
    await until(() => door.count() === 1);
    expect(send(2)).toBe(1);
    await until(() => second.heard.length === 2);
    await comeBack();
    await until(() => first.heard.length === 2);
    send(3);
    await until(() => first.heard.length + second.heard.length === 6);
    expect([first.heard, second.heard, second.notices]).toEqual([upTo(3), upTo(3), []]);
  });
});

describe('a program', () => {
  test('that does not ask for it hears events with their own arguments only, and nothing of before', async () => {
    await open();
    const { client, heard, argumentsOf, notices } = await page({}, {});
    send(1);
    await until(() => heard.length === 1);
    const comeBack = hold(client);
    await cut();
    expect(memory.missed.held()).toEqual({ owners: 0, events: 0, bytes: 0 });
    send(2);
    await comeBack();
    await until(() => door.count() === 1);
    send(3);
    await until(() => heard.length === 2);
    expect([argumentsOf, notices]).toEqual([[[{ n: 1 }], [{ n: 3 }]], []]);
  });

  test('that asks for it gets what it missed', async () => {
    await open();
    const { client, heard } = await page({ resume: true }, {});
    send(1);
    await until(() => heard.length === 1);
    const comeBack = hold(client);
    await cut();
    send(2);
    await comeBack();
    await until(() => heard.length === 2);
    expect([heard, client.recovered]).toEqual([upTo(2), true]);
  });
});

describe('what is kept', () => {
  test('is nothing for an owner whose clients are all away for good', async () => {
    await open();
    const { client, heard } = await page();
    send(1);
    await until(() => heard.length === 1);
    client.disconnect();
    await until(() => door.count() === 0);
    send(2);
    expect(memory.missed.held()).toMatchObject({ owners: 1, events: 2 });
    memory.advance(missedRule.ageMillis + 1);
    expect(send(3)).toBe(0);
    expect(memory.missed.held()).toEqual({ owners: 0, events: 0, bytes: 0 });
  });
});

test('a gap in what was heard of the upstream is told to who is there, and on their return to who was not', async () => {
  await open();
  const [here, away] = [await page(), await page()];
  const bob = await page({ token: 'bob-token' }, {});
  await until(() => door.count() === 3);
  const first = await start();
  let clock = 1_000;
  const { broadcast } = listen(first.port, () => clock);
  broadcast.onGap((sinceMillis, untilMillis) => door.channels.announce({ type: 'gap', sinceMillis, untilMillis }));
  await until(() => broadcast.connected());
  const comeBack = hold(away.client);
  away.client.io.engine.close();
  await until(() => door.count() === 2);
  await first.kill();
  await until(() => !broadcast.connected());
  clock = 5_000;
  await start(first.port);
  const gap = { type: 'gap', sinceMillis: 1_000, untilMillis: 5_000 };
  await until(() => here.notices.length === 1 && bob.notices.length === 1);
  expect([here.notices, bob.notices]).toEqual([[gap], [gap]]);
  await comeBack();
  await until(() => away.notices.length === 2);
  expect(away.notices).toEqual([gap, { type: 'history', recovered: true, missed: 1 }]);
});
