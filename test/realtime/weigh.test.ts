import { expect, test } from 'vitest';
import { weigh } from '../../src/realtime/weigh.ts';

test('weighs the strings wherever they are', () => {
  const empty = weigh({ payload: { a: [{ b: '' }] } });
  expect(weigh({ payload: { a: [{ b: 'x'.repeat(1_000) }] } })).toBe(empty + 1_000);
});

test('is not far from what the message takes as JSON', () => {
  const payload = { list: Array.from({ length: 100 }, (_, n) => ({ id: `id ${n}`, n, on: true, off: null })) };
  const bytes = JSON.stringify(payload).length;
  expect(weigh({ payload })).toBeGreaterThan(bytes / 2);
  expect(weigh({ payload })).toBeLessThan(bytes * 3);
});

test('does not mind how deep a message is', () => {
  expect(weigh({ payload: JSON.parse(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`) })).toBeGreaterThan(100_000);
});

test('weighs the binary parts too', () => {
  const payload = { picture: { _placeholder: true, num: 0 } };
  const attachments = [Buffer.alloc(1_000), Buffer.alloc(500)];
  expect(weigh({ payload, attachments })).toBe(weigh({ payload }) + 1_500);
});
