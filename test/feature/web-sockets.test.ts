/** Raw WebSocket backends: real `ws` on both sides, and the gateway's own stages between them. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { inMode, mine, webSocketScene } from '../support/web-socket-scene.ts';

const scene = webSocketScene();

describe('messages', () => {
  test('pass in both directions, and are written anew', async () => {
    await scene.set();
    const { client, peer } = await scene.pair();
    client.say(' { "kind" : "say", "session_id": "session-ann", "te\\u0078t": "a\\/b" }\n');
    await eventually(() => peer.heard.length === 1);
    expect(peer.heard).toEqual(['{"kind":"say","session_id":"session-ann","text":"a/b"}']);
    peer.say('{ "kind": "delta", "session_id": "session-ann", "text": "1.0", "n": 1.0 }');
    await eventually(() => client.heard.length === 1);
    expect(client.heard).toEqual(['{"kind":"delta","session_id":"session-ann","text":"1.0","n":1.0}']);
    expect(scene.gate.counted).toEqual(['forwarded none', 'delivered none']);
  });

  test('show what the policy lets be seen of them', async () => {
    await scene.set();
    const { client, peer } = await scene.pair();
    peer.say({
      kind: 'delta',
      session_id: 'session-ann',
      secret: { key: 1 },
      url: 'http://localhost:9/api/file/im_abcd.png',
    });
    await eventually(() => client.heard.length === 1);
    expect(JSON.parse(client.heard[0] ?? '')).toEqual({
      kind: 'delta',
      session_id: 'session-ann',
      secret: '[redacted]',
      url: '/api/file/im_abcd.png',
    });
  });

  test('that the upstream sends before it has heard anything are not lost', async () => {
    await scene.set({
      upstream: {
        greet(peer) {
          for (let n = 0; n < 100; n += 1) peer.say({ kind: 'hello', n });
        },
      },
    });
    const { client } = await scene.pair();
    await eventually(() => client.heard.length === 100);
    expect(client.heard.map((text) => JSON.parse(text).n)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  test('keep their order, however long the look-up of one takes', async () => {
    let waits = 0;
    await scene.set({
      gate: {
        stages: {
          async ownersOf(refs) {
            waits += 1;
            // The first look-ups take longest.
            await new Promise((resolve) => setTimeout(resolve, Math.max(0, 20 - waits)));
            return refs.map(({ id }) => `test|${id.replace(/^.*-/, '')}`);
          },
        },
      },
    });
    const { client, peer } = await scene.pair();
    const numbers = Array.from({ length: 30 }, (_, n) => n);
    for (const n of numbers) {
      client.say({ ...mine, text: String(n) });
      peer.say({ kind: 'delta', session_id: 'session-ann', n });
    }
    await eventually(() => peer.heard.length === 30 && client.heard.length === 30);
    expect(peer.heard.map((text) => Number(JSON.parse(String(text)).text))).toEqual(numbers);
    expect(client.heard.map((text) => JSON.parse(text).n)).toEqual(numbers);
  });

  test('make what the server named the owner’s, before its owner hears of it', async () => {
    await scene.set();
    const { client, peer } = await scene.pair();
    peer.say({ kind: 'image', session_id: 'session-ann', url: 'http://127.0.0.1:9/api/file/im_abcd.png' });
    await eventually(() => client.heard.length === 1);
    expect(await scene.gate.ledger.find([{ kind: 'file', id: 'im_abcd.png' }])).toMatchObject([
      { owner: 'test|ann', parent: { kind: 'session', id: 'session-ann' } },
    ]);
  });

  test('claim what they create, and what was claimed stays its owner’s', async () => {
    await scene.set();
    const { client, peer } = await scene.pair();
    client.say({ kind: 'open', canvas_id: 'canvas-ann', session_id: 'new-1' });
    await eventually(() => peer.heard.length === 1);
    expect(await scene.gate.ledger.find([{ kind: 'session', id: 'new-1' }])).toMatchObject([
      { owner: 'test|ann', state: 'pending', parent: { kind: 'canvas', id: 'canvas-ann' } },
    ]);
    // Nobody knows what became of it, so its owner may try again.
    client.say({ kind: 'open', canvas_id: 'canvas-ann', session_id: 'new-1' });
    client.say({ kind: 'say', session_id: 'new-1', text: 'x' });
    await eventually(() => peer.heard.length === 3);
    const { client: other, peer: far } = await scene.pair('bob');
    other.say({ kind: 'open', canvas_id: 'canvas-bob', session_id: 'new-1' });
    await eventually(() => other.heard.length === 1);
    expect(JSON.parse(other.heard[0] ?? '')).toMatchObject({ kind: 'gateway', refused: { code: 'resource-taken' } });
    expect(far.heard).toEqual([]);
  });
});

describe('sub-protocols', () => {
  const second = { upstream: { handleProtocols: (offered: Set<string>) => [...offered].at(-1) ?? false } };

  test('the upstream chooses among those that are offered and listed', async () => {
    await scene.set(second);
    const { client, peer } = await scene.pair('ann', '/ws/agent', {
      protocols: ['chat.v1', 'secret', 'chat.v2', 'other'],
    });
    expect(peer.request.headers['sec-websocket-protocol']).toBe('chat.v1,chat.v2');
    expect([client.socket.protocol, peer.socket.protocol]).toEqual(['chat.v2', 'chat.v2']);
  });

  test('none that is not listed reaches the upstream, and none is agreed upon', async () => {
    await scene.set();
    const client = scene.gate.client('/ws/agent', 'ann', { protocols: ['secret'] });
    // RFC 6455, section 4.1: it is the client that does not want to go on.
    await expect(client.opened).rejects.toThrow();
    expect(scene.upstream.asked[0]?.headers['sec-websocket-protocol']).toBeUndefined();
    await scene.nothingIsLeft();
  });
});

describe('in shadow mode', () => {
  const shadow = inMode('shadow');
  const off = inMode('off');

  test('messages pass as they came, and the record says what would have become of them', async () => {
    await scene.set({ gate: { policy: () => shadow } });
    const { client, peer } = await scene.pair();
    client.say(' {"kind": "nonsense"}');
    client.say(Buffer.from([1, 2, 3]));
    client.say(mine);
    peer.say(' {"kind":"delta","session_id":"session-bob","secret":1}');
    peer.say(' {"kind":"hello"}');
    await eventually(() => peer.heard.length === 3 && client.heard.length === 2);
    expect(peer.heard).toEqual([' {"kind": "nonsense"}', Buffer.from([1, 2, 3]), JSON.stringify(mine)]);
    expect(client.heard).toEqual([' {"kind":"delta","session_id":"session-bob","secret":1}', ' {"kind":"hello"}']);
    const told = scene.gate.records.filter(({ kind }) => kind === 'event');
    expect(told.every(({ outcome, mode }) => outcome === 'allowed' && mode === 'shadow')).toBe(true);
    expect(told.flatMap(({ findings }) => findings)).toMatchObject([
      { would: 'deny', reason: 'event-refused' },
      { would: 'deny', reason: 'body-type' },
      { would: 'withhold', event: 'delta', because: 'not-theirs' },
    ]);
    expect(scene.gate.counted).toEqual(
      expect.arrayContaining(['would-refuse event-refused', 'would-withhold not-theirs', 'unfiltered none']),
    );
  });

  test('where the policy is off nothing is judged', async () => {
    await scene.set({ gate: { policy: () => off } });
    const { client, peer } = await scene.pair();
    client.say('not json');
    peer.say('neither');
    await eventually(() => peer.heard.length === 1 && client.heard.length === 1);
    expect(new Set(scene.gate.counted)).toEqual(new Set(['unfiltered none']));
    expect(scene.gate.records.filter(({ kind }) => kind === 'event')).toEqual([]);
  });
});
