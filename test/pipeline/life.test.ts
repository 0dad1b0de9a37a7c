import { expect, test } from 'vitest';
import { beginLife, beginPassing, enter } from '../../src/pipeline/life.ts';

const begin = (now?: () => number) =>
  beginLife(
    {
      raw: { method: 'GET', target: '/', rawHeaders: [], remoteAddress: '' },
      source: undefined,
      cancellation: { cancelled: false, onCancel: undefined },
    },
    now,
  );

test('a life begins in the first stage, with nothing known', () => {
  expect(begin(() => 5)).toMatchObject({
    startedAt: 5,
    stage: 'canonical',
    stages: {},
    request: undefined,
    match: undefined,
    principal: undefined,
    grant: undefined,
    run: undefined,
    upstreamStatus: undefined,
    passing: undefined,
  });
});

test('entering a stage closes the one before, in the order in which they ran', () => {
  const life = begin();
  enter(life, 'match');
  enter(life, 'limit');
  expect(life.stage).toBe('limit');
  expect(Object.keys(life.stages)).toEqual(['canonical', 'match']);
  for (const millis of Object.values(life.stages)) expect(millis).toBeGreaterThanOrEqual(0);
});

test('of a life that passes the notes are empty at first, and its own', () => {
  const [one, other] = [begin(), begin()];
  const passing = beginPassing(one, 'shadow');
  expect(one.passing).toBe(passing);
  expect(passing).toMatchObject({ mode: 'shadow', evidence: { findings: [], faults: [] }, judging: [], recorded: [] });
  expect(beginPassing(other, 'off').evidence.findings).not.toBe(passing.evidence.findings);
});
