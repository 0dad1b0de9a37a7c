/**
 * An upstream that knows no users says everything to every WebSocket, and takes every id from everybody. Without the gateway
 * each hears the other one and may speak for him; through it nobody does.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { eventually } from '../support/eventually.ts';
import { mine, webSocketScene } from '../support/web-socket-scene.ts';

const scene = webSocketScene();
const direct: WebSocket[] = [];

/** Whatever one says, the upstream answers to all. */
beforeEach(() =>
  scene.set({
    upstream: {
      greet(peer) {
        peer.socket.on('message', (data) => {
          const { session_id, text } = JSON.parse(String(data)) as Record<string, unknown>;
          for (const { socket } of scene.upstream.peers)
            socket.send(JSON.stringify({ kind: 'delta', session_id, text }));
        });
      },
    },
  }),
);

afterEach(() => {
  for (const socket of direct.splice(0)) socket.terminate();
});

test('directly, everybody hears everybody and may speak for everybody', async () => {
  const heard: string[] = [];
  const [eve, bob] = [0, 1].map(() => new WebSocket(`${scene.upstream.url.replace('http', 'ws')}/ws/agent`));
  if (eve === undefined || bob === undefined) throw new Error('nobody');
  direct.push(eve, bob);
  bob.on('message', (data) => heard.push(String(data)));
  await eventually(() => eve.readyState === eve.OPEN && bob.readyState === bob.OPEN);
  eve.send(JSON.stringify({ kind: 'say', session_id: 'session-bob', text: 'I am Bob' }));
  await eventually(() => heard.length === 1);
  expect(heard).toEqual(['{"kind":"delta","session_id":"session-bob","text":"I am Bob"}']);
});

test('through the gateway nobody hears another, and nobody speaks for another', async () => {
  const { client: ann } = await scene.pair('ann');
  const { client: bob } = await scene.pair('bob');
  for (let n = 0; n < 100; n += 1) {
    ann.say({ ...mine, text: `a${n}` });
    bob.say({ ...mine, session_id: 'session-bob', text: `b${n}` });
  }
  await eventually(() => ann.heard.length === 100 && bob.heard.length === 100);
  expect(ann.heard.every((text) => text.includes('"session-ann"'))).toBe(true);
  expect(bob.heard.every((text) => text.includes('"session-bob"'))).toBe(true);
  expect(scene.gate.counted.filter((one) => one === 'dropped not-theirs').length).toBe(200);
  ann.say({ ...mine, session_id: 'session-bob' });
  await eventually(() => ann.heard.length === 101);
  expect(JSON.parse(ann.heard[100] ?? '')).toMatchObject({ refused: { code: 'resource-hidden' } });
  expect(bob.heard.length).toBe(100);
});

test.each([
  ['a second key', '{"kind":"say","session_id":"session-ann","session_id":"session-bob","text":"x"}'],
  [
    'a second key, spelt otherwise',
    '{"kind":"say","session_id":"session-ann","session\\u005fid":"session-bob","text":"x"}',
  ],
  ['another type behind the first', '{"kind":"ping","kind":"say","session_id":"session-bob","text":"x"}'],
  ['a list instead of an id', '{"kind":"say","session_id":["session-bob"],"text":"x"}'],
  [
    'an id in another encoding',
    Buffer.from('{"kind":"say","session_id":"session-bob","text":"x"}', 'utf16le').toString('latin1'),
  ],
  ['a byte order mark', '\ufeff{"kind":"say","session_id":"session-bob","text":"x"}'],
  ['a field that the form does not have', '{"kind":"say","session_id":"session-ann","text":"x","as":"session-bob"}'],
  ['a prototype', '{"__proto__":{"kind":"say","session_id":"session-bob","text":"x"}}'],
  ['an inherited type', '{"kind":"constructor"}'],
])('%s does not get another’s id past the gateway', async (_, text) => {
  const { client: ann, peer } = await scene.pair('ann');
  const { client: bob } = await scene.pair('bob');
  ann.socket.send(text);
  await eventually(() => scene.gate.counted.some((one) => one.startsWith('refused')));
  expect([peer.heard, bob.heard]).toEqual([[], []]);
});
