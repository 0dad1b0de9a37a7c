import { expect, test } from 'vitest';
import { messageLife } from '../../src/pipeline/message.ts';
import type { Traffic } from '../../src/pipeline/message-line.ts';
import { messages } from '../../src/realtime/messages.ts';
import { agentRules, messageLine, wordsOf } from '../support/message-line.ts';

test('a judge is made once for each policy, however many connections there are', async () => {
  let made = 0;
  const first = agentRules();
  let rules = first;
  const life = messageLife({
    read: (bytes) => JSON.parse(bytes.toString()),
    write: (value) => Buffer.from(JSON.stringify(value)),
    conform: () => undefined,
    judge(of) {
      made += 1;
      return messages(of);
    },
    ownersOf: () => [],
    claims: { take: async () => [], settle: async () => undefined },
    learn: async () => 'known',
    count: () => undefined,
    report: () => undefined,
  });
  const traffic: Traffic = {
    rules: () => rules,
    mode: () => 'enforce',
    principal: () => undefined,
    resources: [],
    told: () => undefined,
  };
  const ping = { data: Buffer.from('{"kind":"ping"}'), isBinary: false };
  for (const one of [life(traffic), life(traffic)]) {
    await one.sent(ping);
    await one.delivered(ping);
  }
  expect(made).toBe(1);
  rules = { ...first };
  await life(traffic).sent(ping);
  expect(made).toBe(2);
});

test('the two directions have tables of their own', async () => {
  const { sent, delivered } = await messageLine();
  expect(wordsOf(await sent({ kind: 'hello' }))).toBe('answer event-refused');
  expect(wordsOf(await delivered({ kind: 'ping' }))).toBe('drop');
  expect(wordsOf(await sent({ kind: 'ping' }))).toBe('{"kind":"ping"}');
  expect(wordsOf(await delivered({ kind: 'hello' }))).toBe('{"kind":"hello"}');
});
