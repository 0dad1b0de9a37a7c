import { describe, expect, test } from 'vitest';
import type { AuditRecord } from '../../src/model/audit.ts';
import { metrics } from '../../src/telemetry/metrics.ts';

const record = (more: Partial<AuditRecord> = {}): AuditRecord => ({
  time: '',
  kind: 'request',
  requestId: 'secret-id',
  outcome: 'allowed',
  reason: undefined,
  detail: 'secret-detail',
  method: 'GET',
  path: '/secret-path',
  route: 'canvas.read',
  owner: 'secret-owner',
  address: 'secret-address',
  resources: [{ kind: 'canvas', id: 'secret-canvas' }],
  claims: [],
  status: 200,
  upstreamStatus: 200,
  stages: {},
  millis: 20,
  ...more,
});
const scraped = async (counts: ReturnType<typeof metrics>, name: string): Promise<string[]> =>
  (await counts.scrape()).text.split('\n').filter((line) => line.startsWith(name));

describe('decisions', () => {
  test('are counted by route, outcome and reason', async () => {
    const counts = metrics();
    counts.record(record());
    counts.record(record());
    counts.record(record({ outcome: 'refused', reason: 'resource-hidden' }));
    counts.record(record({ outcome: 'refused', reason: 'route-unknown', route: undefined }));
    expect(await scraped(counts, 'gateway_decisions_total')).toEqual([
      'gateway_decisions_total{kind="request",route="canvas.read",outcome="allowed",reason="none"} 2',
      'gateway_decisions_total{kind="request",route="canvas.read",outcome="refused",reason="resource-hidden"} 1',
      'gateway_decisions_total{kind="request",route="none",outcome="refused",reason="route-unknown"} 1',
    ]);
  });

  test('hold nothing of a client', async () => {
    const counts = metrics();
    counts.record(record());
    expect((await counts.scrape()).text).not.toContain('secret');
  });

  test('of requests are timed in seconds, those of sockets and events are not', async () => {
    const counts = metrics();
    counts.record(record());
    counts.record(record({ kind: 'socket', millis: 1e9 }));
    counts.record(record({ kind: 'event', millis: 1e9 }));
    expect(await scraped(counts, 'gateway_request_duration_seconds_sum')).toEqual([
      'gateway_request_duration_seconds_sum{route="canvas.read"} 0.02',
    ]);
    expect(await scraped(counts, 'gateway_request_duration_seconds_count')).toEqual([
      'gateway_request_duration_seconds_count{route="canvas.read"} 1',
    ]);
  });
});

test('events are counted by what became of them', async () => {
  const counts = metrics();
  counts.event('delivered', 'none', 3);
  counts.event('dropped', 'unknown-owner');
  expect(await scraped(counts, 'gateway_events_total')).toEqual([
    'gateway_events_total{outcome="delivered",because="none"} 3',
    'gateway_events_total{outcome="dropped",because="unknown-owner"} 1',
  ]);
});

test('gauges are read when somebody looks', async () => {
  const counts = metrics();
  let open = 1;
  counts.observe({
    sockets: () => open,
    runs: () => 2,
    queuedEvents: () => 3,
    waitingBytes: () => 4_096,
    missed: () => ({ owners: 2, events: 30, bytes: 5_000 }),
    upstreamConnected: () => true,
    auditDropped: () => 4,
  });
  open = 5;
  const lines = ['sockets 5', 'runs 2', 'events_queued 3', 'upstream_connected 1', 'audit_dropped 4'];
  lines.push('sockets_waiting_bytes 4096', 'missed_owners 2', 'missed_events 30', 'missed_bytes 5000');
  for (const line of lines) expect((await scraped(counts, `gateway_${line}`)).length, line).toBe(1);
});

test('how late an authority took its sockets along is measured, beside the bound that it keeps', async () => {
  const counts = metrics();
  counts.authorityLag('expiry', 0);
  counts.authorityLag('revocation', 260);
  counts.authorityLag('revocation', 1100);
  counts.observe({
    ...{ sockets: () => 0, runs: () => 0, queuedEvents: () => 0, upstreamConnected: () => true, auditDropped: () => 0 },
    ...{ waitingBytes: () => 0, missed: () => ({ owners: 0, events: 0, bytes: 0 }) },
    revocations: () => 7,
  });
  const lines = await scraped(counts, 'gateway_socket_authority_');
  expect(lines).toEqual(
    expect.arrayContaining([
      'gateway_socket_authority_bound_seconds 1',
      'gateway_socket_authority_lag_seconds_bucket{le="0",because="expiry"} 1',
      'gateway_socket_authority_lag_seconds_bucket{le="0.25",because="revocation"} 0',
      'gateway_socket_authority_lag_seconds_bucket{le="1",because="revocation"} 1',
      'gateway_socket_authority_lag_seconds_count{because="revocation"} 2',
    ]),
  );
  expect(await scraped(counts, 'gateway_revocations')).toEqual(['gateway_revocations 7']);
});

test('the live policy is told: its generation, its digest, and what became of the last reloads', async () => {
  const counts = metrics();
  let sha256 = 'old';
  counts.observe({
    sockets: () => 0,
    runs: () => 0,
    queuedEvents: () => 0,
    waitingBytes: () => 0,
    missed: () => ({ owners: 0, events: 0, bytes: 0 }),
    upstreamConnected: () => true,
    auditDropped: () => 0,
    policy: () => ({
      ...{ generation: 3, name: 'jaaz', mode: 'enforce', sha256 },
      ...{ lastSuccessMillis: 5000, lastFailureMillis: 7000, failures: 2 },
    }),
  });
  await counts.scrape();
  sha256 = 'new';
  expect(await scraped(counts, 'gateway_policy_')).toEqual([
    'gateway_policy_generation 3',
    'gateway_policy_last_reload_success_timestamp_seconds 5',
    'gateway_policy_last_reload_failure_timestamp_seconds 7',
    'gateway_policy_info{name="jaaz",mode="enforce",sha256="new"} 1',
    'gateway_policy_reload_failures_total 2',
  ]);
});

test('events that the policy does not list are counted by event and type', async () => {
  const counts = metrics();
  counts.unlisted({ event: 'session_update', type: 'thinking' });
  counts.unlisted({ event: 'session_update', type: 'thinking' });
  counts.unlisted({ event: 'other', type: 'other' });
  expect(await scraped(counts, 'gateway_events_unlisted_total')).toEqual([
    'gateway_events_unlisted_total{event="session_update",type="thinking"} 2',
    'gateway_events_unlisted_total{event="other",type="other"} 1',
  ]);
});

test('two gateways in one process count on their own', async () => {
  const [one, other] = [metrics(), metrics()];
  one.record(record());
  expect(await scraped(other, 'gateway_decisions_total')).toEqual([]);
});
