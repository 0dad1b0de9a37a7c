/** How long the kit's `fetch` waits, and for what. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gatewayClient } from '../../client/index.ts';
import { errorOf, FINE, kit, problem, serve } from '../support/kit-answers.ts';
import { policyOf, startWorld } from '../support/world.ts';

/** Runs a call, and resolves with its outcome and how long it took. */
const timed = async (call: () => Promise<Response>) => {
  const start = performance.now();
  const outcome = await call().then(
    ({ status }) => status,
    (error: unknown) => error,
  );
  return { outcome, millis: performance.now() - start };
};

describe('Retry-After', () => {
  const SECOND = { 'retry-after': '1' };

  test('of a real limit is kept to, and then the gateway answers', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kit-'));
    const file = join(folder, 'policy.yaml');
    const text = readFileSync('policies/jaaz.yaml', 'utf8');
    writeFileSync(file, text.replace('requests: { points: 1200, per: 1m', 'requests: { points: 2, per: 2s'));
    const tight = await startWorld({ stepMillis: 0, policy: policyOf(file) });
    const { fetch } = gatewayClient({ url: tight.gateway.url, token: () => tight.issuer.token('alice') });
    for (let n = 0; n < 6; n += 1) expect((await fetch('/api/canvas/list')).status).toBe(200);
    expect(tight.audit().some(({ reason }) => reason === 'rate-limited')).toBe(true);
    await tight.close();
    rmSync(folder, { recursive: true });
  });

  test.each(['GET', 'POST'])('429 of the gateway is waited for, %s', async (method) => {
    const server = await serve(problem(429, 'rate-limited', SECOND), FINE);
    const { outcome, millis } = await timed(() => kit(server.url).fetch('/x', { method }));
    expect([outcome, server.came.length]).toEqual([200, 2]);
    expect(millis).toBeGreaterThan(990);
  });

  test('a date is read by the clock of the server', async () => {
    const date = 'Thu, 01 Jan 2026 00:00:00 GMT';
    const later = 'Thu, 01 Jan 2026 00:00:02 GMT';
    const server = await serve({ status: 503, headers: { date, 'retry-after': later } }, FINE);
    const { outcome, millis } = await timed(() => kit(server.url).fetch('/x'));
    expect(outcome).toBe(200);
    expect(millis).toBeGreaterThan(1_990);
  });

  test.each([429, 502, 503])('%i of others is waited for where nothing can have been done', async (status) => {
    const server = await serve({ status, headers: SECOND }, FINE);
    expect((await kit(server.url).fetch('/x')).status).toBe(200);
    const other = await serve({ status, headers: SECOND }, FINE);
    expect((await kit(other.url).fetch('/x', { method: 'POST', body: '1' })).status).toBe(status);
    expect(other.came.length).toBe(1);
  });

  test('503 of the gateway is no reason to repeat what may have been done', async () => {
    const server = await serve(problem(503, 'shutting-down', SECOND), FINE);
    const error = await errorOf(kit(server.url).fetch('/x', { method: 'POST', body: '1' }));
    expect([error.status, error.retryAfterMillis, server.came.length]).toEqual([503, 1000, 1]);
  });

  test('a wait that is too long is told at once', async () => {
    const server = await serve(problem(429, 'rate-limited', { 'retry-after': '31' }));
    const { outcome, millis } = await timed(() => kit(server.url).fetch('/x'));
    expect(outcome).toMatchObject({ code: 'rate-limited', retryAfterMillis: 31_000, requestId: 'r-1' });
    expect([server.came.length, millis < 5_000]).toEqual([1, true]);
  });

  test('several waits together are bounded, and none is shorter than a second', async () => {
    const server = await serve(problem(429, 'rate-limited', { 'retry-after': '0' }));
    const { outcome, millis } = await timed(() => kit(server.url, { maxWaitMillis: 2_500 }).fetch('/x'));
    expect(outcome).toMatchObject({ code: 'rate-limited', retryAfterMillis: 1000 });
    expect([server.came.length, Math.round(millis / 1000)]).toEqual([3, 2]);
  });

  test('what says no time is told at once', async () => {
    const server = await serve(problem(429, 'rate-limited', { 'retry-after': 'soon' }));
    const error = await errorOf(kit(server.url).fetch('/x'));
    expect([error.retryAfterMillis, server.came.length]).toEqual([undefined, 1]);
  });

  test.each(['of the call', 'of the client', 'of the Request'])('the signal %s ends a wait', async (whose) => {
    const server = await serve(problem(429, 'rate-limited', { 'retry-after': '20' }));
    const control = new AbortController();
    const { signal } = control;
    const { fetch } = kit(server.url, whose === 'of the client' ? { signal } : {});
    const target = whose === 'of the Request' ? new Request(`${server.url}/x`, { signal }) : '/x';
    const call = timed(() => fetch(target, whose === 'of the call' ? { signal } : {}));
    await expect.poll(() => server.came.length).toBe(1);
    control.abort(new Error('never mind'));
    const { outcome, millis } = await call;
    expect([outcome, server.came.length, millis < 10_000]).toEqual([new Error('never mind'), 1, true]);
  });

  test('a signal ends the wait for a token too, and for others the renewal goes on', async () => {
    const server = await serve(problem(401, 'token-expired'), problem(401, 'token-expired'), FINE);
    const fresh = Promise.withResolvers<string>();
    const { fetch } = kit(server.url, { refresh: () => fresh.promise });
    const control = new AbortController();
    const given = timed(() => fetch('/x', { signal: control.signal }));
    const kept = timed(() => fetch('/x'));
    await expect.poll(() => server.came.length).toBe(2);
    control.abort(new Error('never mind'));
    expect((await given).outcome).toEqual(new Error('never mind'));
    fresh.resolve('b');
    expect((await kept).outcome).toBe(200);
  });
});
