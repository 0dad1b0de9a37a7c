import { expect, test } from 'vitest';
import type { Generation, LivePolicy } from '../../src/policy/live.ts';
import { policyStatus } from '../../src/policy/status.ts';
import { policyOf } from '../support/world.ts';

const policy = policyOf('policies/minimal.yaml');
const generation = (number: number): Generation => ({
  generation: number,
  sha256: `sha-${number}`,
  files: [{ file: '/p.yaml', sha256: `own-${number}` }],
  loadedAtMillis: number * 1000,
  policy,
});
const state = (more: Partial<LivePolicy>): LivePolicy => ({
  policy,
  current: generation(1),
  previous: undefined,
  rolledBackFrom: undefined,
  lastFailure: undefined,
  files: [],
  reload: () => ({ outcome: 'unchanged' }),
  reloadChanged: () => ({ outcome: 'unchanged' }),
  rollBack: () => undefined,
  ...more,
});

test('the first generation is told with its files, and nothing else is there', () => {
  expect(policyStatus(state({}))).toEqual({
    generation: 1,
    sha256: 'sha-1',
    loadedAt: '1970-01-01T00:00:01.000Z',
    name: 'minimal',
    mode: 'enforce',
    enforced: true,
    routes: policy.routes.length,
    files: [{ file: '/p.yaml', sha256: 'own-1' }],
    previous: null,
    rolledBackFrom: null,
    lastFailure: null,
  });
});

test('what was before, what was given up and why the files were refused are told', () => {
  const faults = [{ file: '/p.yaml', line: 3, column: 1, message: 'wrong', found: 'x', expected: 'y' }];
  const lastFailure = { atMillis: 9000, sha256: 'sha-bad', faults };
  const told = policyStatus(
    state({ current: generation(2), previous: generation(1), rolledBackFrom: generation(3), lastFailure }),
  );
  expect(told).toMatchObject({
    generation: 2,
    previous: { generation: 1, sha256: 'sha-1', loadedAt: '1970-01-01T00:00:01.000Z' },
    rolledBackFrom: { generation: 3, sha256: 'sha-3' },
    lastFailure: { at: '1970-01-01T00:00:09.000Z', sha256: 'sha-bad', faults },
  });
  expect(JSON.parse(JSON.stringify(told))).toEqual(told);
});
