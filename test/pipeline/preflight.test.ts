import { expect, test } from 'vitest';
import type { OwnAnswer } from '../../src/model/own.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { FilteredResponse } from '../../src/model/response.ts';
import { beginLife } from '../../src/pipeline/life.ts';
import { preflightLife } from '../../src/pipeline/preflight.ts';
import { canonical } from '../../src/server/canonical.ts';
import { refusalOf } from '../support/bodies.ts';

const counted: string[] = [];
const ANSWER: OwnAnswer = { status: 204, headers: ['a', 'b'], body: undefined };

const live = ({ target = '/x', allowed = true, limited = false } = {}) => {
  const raw = { method: 'OPTIONS', target, rawHeaders: ['Host', 'x', 'Origin', 'o'], remoteAddress: '192.0.2.1' };
  const life = beginLife({ raw, source: undefined, cancellation: { cancelled: false, onCancel: undefined } });
  const stage = preflightLife({
    canonical: canonical({ hosts: ['x'], trustedProxies: [] }),
    limit: {
      async visitor(address) {
        counted.push(address);
        if (limited) throw new Rejection('rate-limited', 'too many');
      },
    },
    answer(request) {
      expect(request.path).toBe('/x');
      if (!allowed) throw new Rejection('origin-refused', 'o');
      return ANSWER;
    },
    filtered: (answer) => answer as unknown as FilteredResponse,
  });
  return { life, living: stage(life) };
};

test('is answered by the gateway, counted for its address, and has a name in the record', async () => {
  const { life, living } = live();
  expect(await living).toBe(ANSWER);
  expect(counted.splice(0)).toEqual(['192.0.2.1']);
  expect([life.own, life.principal, life.stage]).toEqual([
    { id: 'cors.preflight', owner: undefined },
    undefined,
    'respond',
  ]);
});

test('that is refused is refused before it is counted: refusals are counted by themselves', async () => {
  const { life, living } = live({ allowed: false });
  expect(await refusalOf(() => living)).toBe('origin-refused 403');
  expect([counted, life.stage, life.own?.id]).toEqual([[], 'match', 'cors.preflight']);
});

test('is judged as every request is, and limited', async () => {
  expect(await refusalOf(() => live({ target: '/x%0a' }).living)).toBe('target-invalid 400');
  expect(await refusalOf(() => live({ limited: true }).living)).toBe('rate-limited 429');
});
