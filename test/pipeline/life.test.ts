import { expect, test } from 'vitest';
import { beginLife, enter } from '../../src/pipeline/life.ts';

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
