import { expect, test } from 'vitest';
import { eventRecord, shadowRecord } from '../src/gateway-event-records.ts';
import type { Policy } from '../src/model/policy.ts';
import type { StoppedRun } from '../src/pipeline/event-watch.ts';
import { jaazPolicy } from './support/policies.ts';

const inMode = (mode: 'enforce' | 'shadow' | 'off'): Policy => {
  const policy = jaazPolicy();
  return { ...policy, rollout: { ...policy.rollout, mode } };
};

const disagreement = {
  because: 'event-disagrees',
  event: 'session_update',
  type: 'delta',
  owner: 'test|alice',
  resources: [{ kind: 'session', id: 's' }],
} as const;

test('an event that was refused is on record as refused, with whose it was and what it named', () => {
  const record = eventRecord(disagreement, inMode('enforce'));
  expect(record).toMatchObject({ kind: 'event', outcome: 'refused', reason: 'event-disagrees', owner: 'test|alice' });
  expect([record.detail, record.resources, record.mode]).toEqual([
    'session_update of type delta',
    disagreement.resources,
    undefined,
  ]);
});

test('one of a stopped run says why', () => {
  const stopped: StoppedRun = {
    ...disagreement,
    because: 'foreign-file-opened',
    detail: 'names file:x.png',
    mode: 'enforce',
  };
  expect(eventRecord(stopped, inMode('enforce')).detail).toBe('session_update of type delta: names file:x.png');
});

test('one of a stopped run is in the mode that holds for its owner', () => {
  const stopped: StoppedRun = { ...disagreement, because: 'run-unwatched', detail: '', mode: 'shadow' };
  expect(eventRecord(stopped, inMode('enforce'))).toMatchObject({ outcome: 'allowed', mode: 'shadow' });
  expect(eventRecord({ ...stopped, mode: 'enforce' }, inMode('off'))).toMatchObject({ outcome: 'refused' });
});

test('in shadow it is a finding, and where the policy is off nothing is found', () => {
  const shadow = eventRecord(disagreement, inMode('shadow'));
  expect([shadow.outcome, shadow.reason, shadow.mode]).toEqual(['allowed', undefined, 'shadow']);
  expect(shadow.findings).toEqual([
    { would: 'deny', reason: 'event-disagrees', detail: 'session_update of type delta' },
  ]);
  const off = eventRecord(disagreement, inMode('off'));
  expect([off.outcome, off.mode, off.findings]).toEqual(['allowed', 'off', undefined]);
});

test('what sockets in shadow heard is a record of shadow mode', () => {
  const findings = [{ would: 'withhold', event: 'session_update/delta', sockets: 1, of: 2 }] as const;
  expect(shadowRecord(findings, '3 events were heard')).toMatchObject({
    kind: 'event',
    outcome: 'allowed',
    mode: 'shadow',
    findings,
    detail: '3 events were heard',
  });
});
