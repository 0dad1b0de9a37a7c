import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { missedRule } from '../support/history.ts';
import { away, BROWSER, type Caller, LOST, offsetIn, recovered, returning, told } from '../support/returning.ts';

describe('a client takes part', () => {
  test.each([
    ['that is a browser', { userAgent: BROWSER }],
    ['that asks for it', { userAgent: 'python-requests/2', auth: { resume: true } }],
    ['that was here before', { userAgent: undefined, auth: { pid: 'x' } }],
  ])('%s', async (_, caller: Caller) => {
    const { come, send } = returning();
    const client = await come(caller);
    send(1);
    expect(client.pid).toMatch(/^[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{11}$/);
    expect(client.texts.map(offsetIn)).not.toContain(undefined);
  });

  test.each([
    ['that says nothing of it', { userAgent: 'python-requests/2' }],
    ['without a name', { userAgent: undefined }],
    ['that asks badly', { userAgent: undefined, auth: { resume: 'true', pid: 7, offset: '1' } }],
    ['that only mentions a browser', { userAgent: 'like Mozilla/5.0' }],
    ['in shadow', { mode: 'shadow' }],
    ['that is unknown', { user: undefined, mode: 'off' }],
  ] as const)('but not one %s', async (_, caller: Caller) => {
    const { come, channels, missed } = returning();
    const client = await come(caller);
    channels.send('demo|alice', { name: 'e', payload: { n: 1 } }, []);
    channels.broadcast({ name: 'e', payload: { n: 2 } });
    expect([client.pid, missed.held().owners]).toEqual([undefined, 0]);
    expect(client.texts.map(offsetIn)).toEqual(client.texts.map(() => undefined));
  });

  test('but not where nothing is kept', async () => {
    const { come, send } = returning({ rule: () => undefined });
    const client = await come({ auth: { pid: 'x.y', offset: '1' } });
    send(1);
    expect([client.pid, client.texts.map(offsetIn).at(-1)]).toEqual([undefined, undefined]);
    expect(told(client.texts)).toEqual(['connected', LOST, 1]);
  });
});

describe('a client that comes', () => {
  test('for the first time gets its place with the greeting, and is told of no history', async () => {
    const { come, send, returned } = returning();
    const client = await come();
    send(1);
    expect(told(client.texts)).toEqual(['connected', 1]);
    const [greeted, heard] = client.texts.map((text) => Number(offsetIn(text)));
    expect(heard).toBe(Number(greeted) + 1);
    expect(returned).toEqual([]);
  });

  test('back gets what it missed, in order, is told how much that was, and hears what comes', async () => {
    const { arrive, send, pid, back, returned } = await away();
    for (const n of [1, 2, 3]) send(n);
    const client = await arrive(back);
    expect(client.pid).toBe(pid);
    client.enter();
    await eventually(() => returned.length === 1);
    send(4);
    expect(told(client.texts)).toEqual(['connected', 1, 2, 3, recovered(3), 4]);
    expect(returned).toEqual([{ recovered: true, missed: 3, refused: 0 }]);
  });

  test('back gets binary events with their parts', async () => {
    const { come, channels, session, back, returned } = await away();
    const payload = { n: 1, list: [{ _placeholder: true, num: 1 }, 'x', { _placeholder: true, num: 0 }] };
    const attachments = [Buffer.from('zero'), Buffer.from('one')];
    channels.send('demo|alice', { name: 'e', payload, attachments }, session('s1', 'demo|alice'));
    const client = await come(back);
    await eventually(() => returned.length === 1);
    expect(client.texts[1]).toBe(
      `52-["e",{"n":1,"list":[{"_placeholder":true,"num":0},"x",{"_placeholder":true,"num":1}]},"${Number(back.auth.offset) + 1}"]`,
    );
    expect(client.parts[1]?.map(String)).toEqual(['one', 'zero']);
  });

  test('back again goes on from where it was, wherever that was', async () => {
    const { come, send, pid, back, returned } = await away();
    send(1);
    const second = await come(back);
    await eventually(() => returned.length === 1);
    second.leave();
    send(2);
    for (const [times, text] of second.texts.entries()) {
      const client = await come({ auth: { pid, offset: offsetIn(text) } });
      await eventually(() => returned.length === times + 2);
      const expected = ['connected', ...[1, 2].slice(times === 0 ? 0 : 1), recovered(times === 0 ? 2 : 1)];
      expect(told(client.texts)).toEqual(expected);
      client.leave();
    }
    expect(second.texts).toHaveLength(3);
  });

  test('back and missed nothing is told that', async () => {
    const { come, back, returned } = await away();
    const client = await come(back);
    await eventually(() => returned.length === 1);
    expect(told(client.texts)).toEqual(['connected', recovered(0)]);
  });

  test('back is told of a gap in what was heard of the upstream meanwhile', async () => {
    const { come, channels, back, returned } = await away();
    const gap = { type: 'gap', sinceMillis: 1, untilMillis: 2 };
    channels.announce(gap);
    const client = await come(back);
    await eventually(() => returned.length === 1);
    expect(told(client.texts)).toEqual(['connected', gap, recovered(1)]);
  });
});

describe('history is lost', () => {
  test.each(['shadow', 'off'] as const)('for one that comes back where the mode is %s now', async (mode) => {
    const { come, send, back, returned } = await away();
    send(1);
    const client = await come({ ...back, mode });
    expect([client.pid, told(client.texts), returned]).toEqual([
      undefined,
      ['connected', LOST],
      [{ recovered: false, missed: 0, refused: 0 }],
    ]);
  });

  test('for one whose mode changes while it comes, and its place too: by that it would hear all of it again', async () => {
    const { arrive, channels, send, back } = await away();
    send(1);
    const client = await arrive(back);
    client.enter('shadow');
    channels.broadcast({ name: 'e', payload: { n: 2 } });
    expect(told(client.texts)).toEqual(['connected', LOST, 2]);
    expect(client.texts.map(offsetIn)).toEqual([undefined, '', undefined]);
  });

  const cases: ReadonlyArray<readonly [string, (pid: string, offset: string) => object]> = [
    ['for another epoch', (_, offset) => ({ pid: `${'A'.repeat(22)}.abc`, offset })],
    ['for an epoch alone', (pid, offset) => ({ pid: pid.slice(0, 22), offset })],
    ['for a pid that is no text', (_, offset) => ({ pid: 7, offset })],
    ['for a pid that is nothing', (_, offset) => ({ pid: null, offset })],
    ['for a pid that is an object', (pid, offset) => ({ pid: { toString: () => pid }, offset })],
    ['for an empty pid', (_, offset) => ({ pid: '', offset })],
    ['for a long pid', (pid, offset) => ({ pid: pid + 'x'.repeat(60_000), offset })],
    ['without an offset', (pid) => ({ pid })],
    ['for an offset that is a number', (pid, offset) => ({ pid, offset: Number(offset) })],
    ['for an offset in a list', (pid, offset) => ({ pid, offset: [offset] })],
    ['for an empty offset', (pid) => ({ pid, offset: '' })],
    ['for a long offset', (pid, offset) => ({ pid, offset: '0'.repeat(60_000) + offset })],
    ['for an offset of the future', (pid, offset) => ({ pid, offset: String(Number(offset) + 9) })],
    ['for an offset from before the log', (pid) => ({ pid, offset: '0' })],
    ['for a negative one', (pid, offset) => ({ pid, offset: `-${offset}` })],
  ];

  test.each(cases)('%s: the pid is a new one, nothing is repeated, what comes is heard', async (_, auth) => {
    const { come, send, pid = '', offset = '', returned } = await away();
    send(1);
    const client = await come({ auth: auth(pid, offset) });
    send(2);
    expect(told(client.texts)).toEqual(['connected', LOST, 2]);
    expect(client.pid).not.toBe(pid);
    expect(client.texts.map(offsetIn)).not.toContain(undefined);
    expect(returned).toEqual([{ recovered: false, missed: 0, refused: 0 }]);
  });

  test('for one who was away for longer than events are kept', async () => {
    const { come, send, back, advance, pid } = await away();
    advance(missedRule.ageMillis + 1);
    send(1);
    const client = await come(back);
    expect(told(client.texts)).toEqual(['connected', LOST]);
    expect(client.pid?.slice(0, 22)).not.toBe(pid?.slice(0, 22));
  });

  test('for one who missed more than is kept, though the log is the same', async () => {
    const { come, send, back, pid } = await away({ rule: () => ({ ...missedRule, maxEvents: 2 }) });
    for (const n of [1, 2, 3]) send(n);
    const client = await come(back);
    expect(told(client.texts)).toEqual(['connected', LOST]);
    expect([client.pid?.slice(0, 22), client.pid === pid]).toEqual([pid?.slice(0, 22), false]);
  });

  test('for one whose log goes between its CONNECT and its seat', async () => {
    const { arrive, send, back, missed, returned } = await away();
    send(1);
    const client = await arrive(back);
    missed.close();
    client.enter();
    send(2);
    expect(told(client.texts)).toEqual(['connected', LOST, 2]);
    expect(returned).toEqual([{ recovered: false, missed: 0, refused: 0 }]);
  });
});
