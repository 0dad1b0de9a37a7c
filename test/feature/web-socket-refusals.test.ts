/** What does not pass on a raw WebSocket, and what becomes of it. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { mine, webSocketScene } from '../support/web-socket-scene.ts';

const scene = webSocketScene();

describe('a client’s message', () => {
  test.each([
    ['of an unlisted type', { kind: 'shutdown' }, 'event-refused'],
    ['without a type', { session_id: 'session-ann' }, 'event-refused'],
    ['about another’s session', { ...mine, session_id: 'session-bob' }, 'resource-hidden'],
    ['about nobody’s session', { ...mine, session_id: 'session-xyz' }, 'resource-hidden'],
    ['with an id that is none', { ...mine, session_id: ['session-ann'] }, 'id-invalid'],
    ['without its id', { kind: 'say', text: 'x' }, 'id-invalid'],
    ['of another form', { ...mine, canvas_id: 'canvas-bob' }, 'body-unfit'],
  ])('%s is answered, not forwarded, and the connection goes on', async (_, message, code) => {
    await scene.set();
    const { client, peer } = await scene.pair();
    client.say(message);
    client.say(mine);
    await eventually(() => peer.heard.length === 1 && client.heard.length === 1);
    expect(JSON.parse(client.heard[0] ?? '')).toMatchObject({ kind: 'gateway', refused: { code } });
    expect(peer.heard).toEqual([JSON.stringify(mine)]);
    expect(scene.gate.records.slice(1)).toMatchObject([
      { kind: 'event', outcome: 'refused', reason: code, route: 'agent', owner: 'test|ann' },
    ]);
  });

  test.each([
    ['that is no JSON', 'hello', 4400, 'body-malformed'],
    ['with a key twice', '{"kind":"ping","kind":"say"}', 4400, 'body-duplicate-key'],
    ['that is no object', '["ping"]', 4400, 'packet-invalid'],
    ['of bytes', Buffer.from('{"kind":"ping"}'), 1003, 'body-type'],
    ['too large for the endpoint', JSON.stringify({ ...mine, text: 'x'.repeat(70_000) }), 1009, 'body-too-large'],
    ['too large for its type', JSON.stringify({ ...mine, text: 'x'.repeat(5_000) }), 1009, 'body-too-large'],
    ['nested too deeply', `{"kind":"ping","a":${'['.repeat(70)}${']'.repeat(70)}}`, 4400, 'body-too-deep'],
  ])('%s ends the connection with its code', async (_, message, code, reason) => {
    await scene.set();
    const { client, peer } = await scene.pair();
    client.say(message);
    const end = await client.closed;
    expect(end.code).toBe(code);
    await eventually(() => peer.closed() !== undefined);
    expect([peer.closed()?.code, peer.heard]).toEqual([1001, []]);
    expect(scene.gate.reasons()).toContain(reason);
    await scene.nothingIsLeft();
  });

  test('is refused only so often', async () => {
    await scene.set();
    const { client } = await scene.pair();
    for (let n = 0; n < 30; n += 1) client.say({ kind: 'nonsense', n });
    expect(await client.closed).toEqual({ code: 4403, reason: 'event-refused' });
    expect(client.heard.length).toBe(19);
    await scene.nothingIsLeft();
    // The first ten one by one, the others as a number.
    const told = scene.gate.records.filter(({ kind }) => kind === 'event');
    expect(told.length).toBe(11);
    expect(told.at(-1)?.detail).toBe('10 further messages');
  });

  test('while the ledger is down is answered so, as often as it takes', async () => {
    let isDown = true;
    await scene.set({
      gate: {
        stages: {
          async ownersOf(refs) {
            if (isDown) throw new Error('down');
            return refs.map(() => 'test|ann');
          },
        },
      },
    });
    const { client, peer } = await scene.pair();
    for (let n = 0; n < 25; n += 1) client.say(mine);
    await eventually(() => client.heard.length === 25);
    isDown = false;
    client.say(mine);
    await eventually(() => peer.heard.length === 1);
    expect(client.end()).toBeUndefined();
  });

  test('that comes too fast ends the connection', async () => {
    await scene.set({ gate: { perSecond: 1, burst: 5 } });
    const { client, peer } = await scene.pair();
    for (let n = 0; n < 50; n += 1) client.say({ kind: 'ping' });
    expect(await client.closed).toEqual({ code: 4429, reason: 'rate-limited' });
    expect(peer.heard.length).toBeLessThanOrEqual(5);
    await scene.nothingIsLeft();
  });

  test('a flood of pings is one, too', async () => {
    await scene.set({ gate: { perSecond: 1, burst: 5 } });
    const { client } = await scene.pair();
    for (let n = 0; n < 50; n += 1) client.socket.ping();
    expect((await client.closed).code).toBe(4429);
    await scene.nothingIsLeft();
  });
});

describe('an upstream’s message', () => {
  test.each([
    ['about another’s session', { kind: 'delta', session_id: 'session-bob' }, 'not-theirs'],
    ['about nobody’s session', { kind: 'delta', session_id: 'session-xyz' }, 'unknown-owner'],
    ['about no session', { kind: 'delta', session_id: '' }, 'no-resource'],
    ['about what can be no session', { kind: 'delta', session_id: 7 }, 'malformed'],
    [
      'about another’s canvas as well',
      { kind: 'delta', session_id: 'session-ann', canvas_id: 'canvas-bob' },
      'event-disagrees',
    ],
    ['of an unlisted type', { kind: 'debug', session_id: 'session-ann' }, 'unlisted-type'],
    ['without a type', { session_id: 'session-ann' }, 'malformed'],
    ['that is no object', ['delta'], 'malformed'],
    ['that is no JSON', '{"kind":"delta","session_id":"session-ann","n":NaN}', 'malformed'],
    ['of bytes', Buffer.from('{"kind":"hello"}'), 'binary'],
  ])('%s reaches nobody and is counted', async (_, message, because) => {
    await scene.set();
    const { client, peer } = await scene.pair();
    peer.say(message);
    peer.say({ kind: 'hello' });
    await eventually(() => client.heard.length === 1);
    expect(client.heard).toEqual(['{"kind":"hello"}']);
    expect(scene.gate.counted).toEqual([`dropped ${because}`, 'delivered none']);
  });

  test('naming what is known to be another’s is recorded', async () => {
    await scene.set();
    await scene.gate.ledger.learn(
      { ref: { kind: 'file', id: 'im_abcd.png' }, parent: undefined, origin: 'event' },
      'test|bob',
    );
    const { client, peer } = await scene.pair();
    peer.say({ kind: 'image', session_id: 'session-ann', url: '/api/file/im_abcd.png' });
    peer.say({ kind: 'hello' });
    await eventually(() => client.heard.length === 1);
    expect(scene.gate.counted).toEqual(['dropped learn-conflict', 'delivered none']);
    expect(scene.gate.records.at(-1)).toMatchObject({ kind: 'event', outcome: 'refused', reason: 'learn-conflict' });
  });

  test('waits for a ledger that is down, and is dropped when that takes too long', async () => {
    let failures = 3;
    await scene.set({
      gate: {
        stages: {
          async ownersOf(refs) {
            failures -= 1;
            if (failures >= 0) throw new Error('down');
            return refs.map(() => 'test|ann');
          },
        },
      },
    });
    const { client, peer } = await scene.pair();
    peer.say({ kind: 'delta', session_id: 'session-ann', n: 1 });
    await eventually(() => client.heard.length === 1);
    failures = Number.POSITIVE_INFINITY;
    peer.say({ kind: 'delta', session_id: 'session-ann', n: 2 });
    peer.say({ kind: 'hello' });
    await eventually(() => client.heard.length === 2);
    expect(scene.gate.counted).toEqual(['delivered none', 'dropped ledger-unavailable', 'delivered none']);
  });

  test('that is too large ends the connection, and the client is told', async () => {
    await scene.set();
    const { client, peer } = await scene.pair();
    peer.say({ kind: 'hello', text: 'x'.repeat(70_000) });
    expect(await client.closed).toEqual({ code: 4502, reason: 'answer-too-large' });
    await eventually(() => peer.closed()?.code === 1009);
    await scene.nothingIsLeft();
  });
});
