import { describe, expect, test } from 'vitest';
import type { UpstreamEvent } from '../../src/model/event.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { deliver } from '../../src/realtime/deliver.ts';
import { canvas, deliverable, file, session, sessionUpdate, update } from '../support/session-events.ts';

const line = () => {
  const sent: Array<{ owner: string; name: string; payload: JsonObject; attachments?: UpstreamEvent['attachments'] }> =
    [];
  const counted: Array<[string, number]> = [];
  const channels = {
    send(owner: string, { name, payload, attachments }: UpstreamEvent) {
      sent.push({ owner, name, payload, ...(attachments === undefined ? {} : { attachments }) });
      return 2;
    },
  };
  const kinds = [canvas, session, file];
  return { sent, counted, send: deliver({ channels, kinds, delivered: (...row) => counted.push(row) }) };
};

test('sends to the owner alone, and says to how many sockets', () => {
  const { sent, counted, send } = line();
  expect(send('demo|alice', update('s1', 'delta', { text: 'hi' }), deliverable())).toBe(2);
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
  send('demo|alice', update('s1', 'tool_call_result', { message }), deliverable());
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
  send('demo|alice', update('s1', 'delta', { text }), deliverable({ ...sessionUpdate, relativeUrls: false }));
  expect(sent[0]?.payload.text).toBe(text);
});

describe('what a type hides', () => {
  const what = (type: string) => ({ ...deliverable(), type, typeRule: sessionUpdate.types.get(type) ?? fail(type) });
  const fail = (type: string): never => {
    throw new Error(`no type ${type}`);
  };

  test('is not seen, and the rest is', () => {
    const { sent, send } = line();
    const trace = [{ key: 'sk-1', step: 1 }, { step: 2 }];
    send('demo|alice', update('s1', 'error', { error: 'sk-2 is no key', trace, text: 'x' }), what('error'));
    const shown = [{ key: '[redacted]', step: 1 }, { step: 2 }];
    expect(sent[0]?.payload).toMatchObject({ error: '[redacted]', trace: shown, text: 'x' });
    expect(JSON.stringify(sent)).not.toContain('sk-');
  });

  test('is seen in events of other types', () => {
    const { sent, send } = line();
    send('demo|alice', update('s1', 'delta', { error: 'x' }), what('delta'));
    expect(sent[0]?.payload.error).toBe('x');
  });

  test('takes its binary part along', () => {
    const { sent, send } = line();
    const part = (num: number) => ({ _placeholder: true, num });
    const event = update('s1', 'error', { error: part(0), picture: part(1) });
    send('demo|alice', { ...event, attachments: [Buffer.from('secret'), Buffer.from('shown')] }, what('error'));
    expect(sent[0]?.payload).toMatchObject({ error: '[redacted]', picture: part(0) });
    expect(sent[0]?.attachments?.map(String)).toEqual(['shown']);
  });
});
