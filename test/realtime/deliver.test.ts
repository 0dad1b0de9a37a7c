import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { deliver } from '../../src/realtime/deliver.ts';
import { canvas, file, session, sessionUpdate, update } from '../support/session-events.ts';

const line = () => {
  const sent: Array<{ owner: string; name: string; payload: JsonObject }> = [];
  const counted: Array<[string, number]> = [];
  const channels = {
    send(owner: string, name: string, payload: JsonObject) {
      sent.push({ owner, name, payload });
      return 2;
    },
  };
  const kinds = [canvas, session, file];
  return { sent, counted, send: deliver({ channels, kinds, delivered: (...row) => counted.push(row) }) };
};

test('sends to the owner alone, and says to how many sockets', () => {
  const { sent, counted, send } = line();
  expect(send('demo|alice', update('s1', 'delta', { text: 'hi' }), sessionUpdate)).toBe(2);
  expect(sent).toEqual([
    { owner: 'demo|alice', name: 'session_update', payload: update('s1', 'delta', { text: 'hi' }).payload },
  ]);
  expect(counted).toEqual([['session_update', 2]]);
});

test("makes the upstream's own URLs relative, at any depth, and leaves every other text", () => {
  const { sent, send } = line();
  const message = {
    content: [
      '![x](http://localhost:57988/api/file/im_abcdefgh.png) and http://127.0.0.1/api/file/im_abcdefgh.png',
      'http://localhost:57988/api/config',
      'https://evil.example/api/file/im_abcdefgh.png',
    ],
  };
  send('demo|alice', update('s1', 'tool_call_result', { message }), sessionUpdate);
  expect(sent[0]?.payload.message).toEqual({
    content: [
      '![x](/api/file/im_abcdefgh.png) and /api/file/im_abcdefgh.png',
      'http://localhost:57988/api/config',
      'https://evil.example/api/file/im_abcdefgh.png',
    ],
  });
});

test('leaves URLs alone where the rule does not say so', () => {
  const { sent, send } = line();
  const text = 'http://localhost:57988/api/file/im_abcdefgh.png';
  send('demo|alice', update('s1', 'delta', { text }), { ...sessionUpdate, relativeUrls: false });
  expect(sent[0]?.payload.text).toBe(text);
});
