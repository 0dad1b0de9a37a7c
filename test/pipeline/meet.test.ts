import { describe, expect, test } from 'vitest';
import type { Mode, Rollout } from '../../src/model/mode.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { Route, RouteMatch } from '../../src/model/route.ts';
import { beginLife } from '../../src/pipeline/life.ts';
import { meet } from '../../src/pipeline/meet.ts';
import { jaazPolicy } from '../support/policies.ts';
import { arrive, principalOf } from '../support/stages.ts';

const bob = principalOf('bob');
const rollout = (mode: Mode, forBob = mode): Rollout => ({
  mode,
  cohorts: [{ name: 'bobs', mode: forBob, has: ({ owner }) => owner === bob.owner }],
});

interface Given {
  readonly route: Rollout | undefined;
  readonly file: Rollout;
  readonly access?: Route['access'];
  /** What authentication comes to. */
  readonly caller?: () => typeof bob | undefined;
  readonly identify?: () => typeof bob | undefined;
}

const refuse = (reason: 'token-missing' | 'token-expired' | 'role-missing', principal?: typeof bob) => (): never => {
  throw new Rejection(reason, 'x', principal === undefined ? {} : { principal });
};

const met = async ({ route, file, access = 'user', caller = () => bob, identify = () => bob }: Given) => {
  const { request, match } = await arrive(jaazPolicy(), { method: 'GET', target: '/api/config/exists' });
  const found: RouteMatch | undefined =
    route === undefined ? undefined : { ...match, route: { ...match.route, rollout: route, access } };
  const raw = { method: 'GET', target: '/', rawHeaders: [], remoteAddress: '' };
  const life = beginLife({ raw, source: undefined, cancellation: { cancelled: false, onCancel: undefined } });
  const ask = meet(
    { match: () => found, authenticate: caller },
    { policy: { rollout: file, enforced: false, sockets: [], match: () => undefined }, identify },
  );
  try {
    const { mode, ...rest } = await ask(life, request.canonical);
    const thrown = 'thrown' in rest ? rest.thrown : undefined;
    return { mode, owner: life.principal?.owner, reason: thrown instanceof Rejection ? thrown.reason : thrown };
  } catch (error) {
    return { mode: 'thrown', reason: error instanceof Rejection ? error.reason : error };
  }
};

const shadow = rollout('shadow');

describe('the mode', () => {
  test('is the route’s, for the caller', async () => {
    expect(await met({ route: shadow, file: rollout('enforce') })).toMatchObject({ mode: 'shadow', owner: 'test|bob' });
    expect(await met({ route: rollout('off', 'shadow'), file: shadow })).toMatchObject({ mode: 'shadow' });
    expect(await met({ route: rollout('shadow', 'enforce'), file: shadow })).toMatchObject({ mode: 'enforce' });
  });

  test('is the file’s where no route matches, or the caller’s who is known by the token', async () => {
    expect(await met({ route: undefined, file: shadow })).toMatchObject({ mode: 'shadow', reason: 'route-unknown' });
    const pilot = rollout('shadow', 'enforce');
    expect(await met({ route: undefined, file: pilot })).toEqual({ mode: 'thrown', reason: 'route-unknown' });
    expect(await met({ route: undefined, file: pilot, identify: () => undefined })).toMatchObject({ mode: 'shadow' });
    expect(await met({ route: undefined, file: pilot, identify: refuse('token-expired') })).toMatchObject({
      mode: 'shadow',
      owner: undefined,
      reason: 'route-unknown',
    });
  });

  test('is the route’s where it is denied', async () => {
    const denied = { access: 'denied', file: rollout('enforce') } as const;
    expect(await met({ ...denied, route: shadow })).toMatchObject({ mode: 'shadow', reason: 'route-denied' });
    expect(await met({ ...denied, route: rollout('shadow', 'enforce') })).toEqual({
      mode: 'thrown',
      reason: 'route-denied',
    });
  });

  test.each(['token-missing', 'token-expired'] as const)('is nobody’s after %s', async (reason) => {
    const route = rollout('shadow', 'enforce');
    const file = rollout('enforce');
    expect(await met({ route, file, caller: refuse(reason) })).toEqual({ mode: 'shadow', owner: undefined, reason });
    expect(await met({ route: rollout('enforce', 'shadow'), file, caller: refuse(reason) })).toEqual({
      mode: 'thrown',
      reason,
    });
  });

  test('is the caller’s who lacks a role, because it is known who that is', async () => {
    const caller = refuse('role-missing', bob);
    const file = rollout('enforce');
    expect(await met({ route: rollout('shadow', 'enforce'), file, caller })).toEqual({
      mode: 'thrown',
      reason: 'role-missing',
    });
    expect(await met({ route: rollout('enforce', 'off'), file, caller })).toEqual({
      mode: 'off',
      owner: 'test|bob',
      reason: 'role-missing',
    });
  });

  test('is not asked after a bug in the match, which is thrown', async () => {
    const { request } = await arrive(jaazPolicy(), { method: 'GET', target: '/' });
    const bug = new TypeError('oh');
    const match = (): never => {
      throw bug;
    };
    const ask = meet(
      { match, authenticate: () => bob },
      { policy: { rollout: shadow, enforced: false, sockets: [], match: () => undefined }, identify: () => bob },
    );
    const raw = { method: 'GET', target: '/', rawHeaders: [], remoteAddress: '' };
    const life = beginLife({ raw, source: undefined, cancellation: { cancelled: false, onCancel: undefined } });
    await expect(ask(life, request.canonical)).rejects.toBe(bug);
  });

  test('is nobody’s after a bug, which is thrown where the policy is in effect', async () => {
    const bug = new TypeError('oh');
    const caller = (): never => {
      throw bug;
    };
    expect(await met({ route: shadow, file: shadow, caller })).toMatchObject({ mode: 'shadow', reason: bug });
    expect(await met({ route: rollout('enforce'), file: shadow, caller })).toEqual({ mode: 'thrown', reason: bug });
  });
});
