import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type CancelNotice, type CancelOptions, cancel } from '../../src/upstream/cancel.ts';
import { origin } from '../../src/upstream/forward.ts';
import { until } from '../support/socket-door.ts';

const opened: Array<() => Promise<unknown> | unknown> = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** An upstream that answers in turn, and the gateway's own side of it. */
const open = async (
  answers: ReadonlyArray<readonly [status: number, body: string]>,
  more: Partial<CancelOptions> = {},
) => {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const [status, body] = answers[Math.min(seen.length, answers.length - 1)] ?? [500, ''];
    seen.push(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const orders = origin({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const notices: CancelNotice[] = [];
  opened.push(
    () => server.close(),
    () => server.closeAllConnections(),
    () => orders.close(),
  );
  return {
    seen,
    notices,
    orders,
    stop: cancel({ orders, notice: (notice) => notices.push(notice), pauseMillis: 1, ...more }),
  };
};

const NOT_FOUND = [200, '{"status":"not_found_or_done"}'] as const;
const CANCELLED = [200, '{"status":"cancelled"}'] as const;

describe('a run', () => {
  test('is asked to end by a POST without a body', async () => {
    const { seen, stop } = await open([CANCELLED]);
    await stop('/api/cancel/s1', () => false);
    expect(seen.map(({ method, url, headers }) => [method, url, headers['content-length']])).toEqual([
      ['POST', '/api/cancel/s1', '0'],
    ]);
  });

  test('is asked again until its end was heard, whatever the upstream answers', async () => {
    const { seen, notices, stop } = await open([NOT_FOUND, [500, 'broken'], CANCELLED]);
    await stop('/api/cancel/s1', () => seen.length < 3);
    expect(notices).toEqual([
      { kind: 'run-cancelled', target: '/api/cancel/s1', detail: '200 {"status":"cancelled"}' },
    ]);
    expect(seen).toHaveLength(3);
  });

  test('is given up after so many times', async () => {
    const { seen, notices, stop } = await open([NOT_FOUND], { maxTries: 3 });
    await stop('/api/cancel/s1', () => true);
    expect(notices).toMatchObject([{ kind: 'run-not-cancelled', detail: '200 {"status":"not_found_or_done"}' }]);
    expect(seen).toHaveLength(3);
  });

  test('is given up without an error where there is no upstream', async () => {
    const { notices, orders, stop } = await open([CANCELLED], { maxTries: 2 });
    await orders.close();
    await stop('/api/cancel/s1', () => true);
    expect(notices).toMatchObject([{ kind: 'run-not-cancelled', detail: expect.stringMatching(/^Rejection: /) }]);
  });

  test('is not asked again once the gateway closes', async () => {
    const closing = new AbortController();
    const { seen, notices, stop } = await open([NOT_FOUND], { pauseMillis: 60_000, signal: closing.signal });
    const asked = stop('/api/cancel/s1', () => true);
    await until(() => seen.length === 1);
    closing.abort();
    await asked;
    expect([seen.length, notices.length]).toEqual([1, 1]);
  });
});

test('of an answer no more is read than is told', async () => {
  const { notices, stop } = await open([[200, 'x'.repeat(1_000_000)]], { maxTries: 1 });
  await stop('/api/cancel/s1', () => true);
  expect(notices[0]?.detail.length).toBeLessThan(300);
});
