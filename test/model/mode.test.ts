import { expect, test } from 'vitest';
import { type Cohort, ENFORCED, isPartial, modeFor, type Rollout } from '../../src/model/mode.ts';
import type { Principal } from '../../src/model/principal.ts';

const caller = { owner: 'corp|alice' } as unknown as Principal;
const cohort = (mode: Cohort['mode'], has = true): Cohort => ({ name: 'some', mode, has: () => has });

test('a rollout is partial when somebody might meet less than enforcement', () => {
  expect(isPartial(ENFORCED)).toBe(false);
  expect(isPartial({ mode: 'shadow', cohorts: [] })).toBe(true);
  expect(isPartial({ mode: 'enforce', cohorts: [cohort('off')] })).toBe(true);
});

test('the first cohort that has the caller decides, and somebody unknown is in none', () => {
  const rollout: Rollout = { mode: 'shadow', cohorts: [cohort('off', false), cohort('enforce'), cohort('off')] };
  expect(modeFor(rollout, caller)).toBe('enforce');
  expect(modeFor(rollout, undefined)).toBe('shadow');
  expect(modeFor({ mode: 'off', cohorts: [cohort('enforce', false)] }, caller)).toBe('off');
});
