import { describe, expect, test } from 'vitest';
import { isPartial, modeFor, type Rollout } from '../../src/model/mode.ts';
import type { Principal } from '../../src/model/principal.ts';
import { rolloutOf, strictest } from '../../src/policy/rollout.ts';

const caller = (owner: string, ...roles: string[]): Principal => ({ owner, roles }) as unknown as Principal;
const cohort = { users: [] as string[], roles: [] as string[], percent: 0 };
const owners = Array.from({ length: 2000 }, (_, index) => caller(`corp|user-${index}`));
const share = (percent: number): Set<Principal> => {
  const rollout = rolloutOf({ mode: 'shadow', cohorts: { some: { ...cohort, mode: 'enforce', percent } } });
  return new Set(owners.filter((owner) => modeFor(rollout, owner) === 'enforce'));
};

describe('the mode for a caller', () => {
  const rollout = rolloutOf({
    mode: 'shadow',
    cohorts: {
      broken: { ...cohort, mode: 'off', users: ['corp|carol'] },
      pilots: { ...cohort, mode: 'enforce', users: ['corp|alice', 'corp|carol'], roles: ['beta'] },
    },
  });

  test('is that of the first cohort that names the caller or one of the roles', () => {
    expect(modeFor(rollout, caller('corp|alice'))).toBe('enforce');
    expect(modeFor(rollout, caller('corp|bob', 'staff', 'beta'))).toBe('enforce');
    expect(modeFor(rollout, caller('corp|carol', 'beta'))).toBe('off');
  });

  test('is the one of the file for everybody else, and for somebody unknown', () => {
    expect(modeFor(rollout, caller('other|alice'))).toBe('shadow');
    expect(modeFor(rollout, undefined)).toBe('shadow');
  });
});

describe('a share of the users', () => {
  test('is about as large as it says, and nobody or everybody at its ends', () => {
    expect(share(0).size).toBe(0);
    expect(share(100).size).toBe(owners.length);
    expect(share(10).size / owners.length).toBeCloseTo(0.1, 1);
  });

  test('gains members when it grows, and loses none', () => {
    const larger = share(30);
    for (const owner of share(10)) expect(larger.has(owner)).toBe(true);
  });
});

test('of several files the strictest speaks for what is in none', () => {
  const of = (mode: Rollout['mode']): Rollout => ({ mode, cohorts: [] });
  expect(strictest([of('off'), of('enforce'), of('shadow')]).mode).toBe('enforce');
  expect(strictest([of('off'), of('shadow')]).mode).toBe('shadow');
});

test('and does so for each caller: whoever one of the files is in effect for is in effect for', () => {
  const [alice, bob, carol] = [caller('corp|alice'), caller('corp|bob'), caller('corp|carol')];
  const of = (mode: Rollout['mode'], forAlice: Rollout['mode'], forBob: Rollout['mode']): Rollout =>
    rolloutOf({
      mode,
      cohorts: {
        a: { ...cohort, mode: forAlice, users: [alice.owner] },
        b: { ...cohort, mode: forBob, users: [bob.owner] },
      },
    });
  const files = [of('shadow', 'shadow', 'off'), of('shadow', 'enforce', 'off'), of('off', 'off', 'off')] as const;
  for (const rollout of [strictest([...files]), strictest([files[2], files[1], files[0]])]) {
    expect([alice, bob, carol, undefined].map((who) => modeFor(rollout, who))).toEqual([
      ...['enforce', 'off', 'shadow', 'shadow'],
    ]);
  }
  const one = of('enforce', 'off', 'shadow');
  expect(strictest([one])).toBe(one);
  expect(modeFor(strictest([one, of('enforce', 'enforce', 'enforce')]), alice)).toBe('enforce');
  expect(isPartial(strictest([of('enforce', 'enforce', 'enforce'), of('enforce', 'enforce', 'enforce')]))).toBe(false);
});
