import { expect, test } from 'vitest';
import { type Evidence, judging, noteThrown } from '../../src/model/evidence.ts';
import { Rejection } from '../../src/model/rejection.ts';

const empty = (): Evidence => ({ findings: [], faults: [] });

test('what is judged is returned, and leaves no trace', async () => {
  const evidence = empty();
  expect(await judging(evidence, () => 5)).toBe(5);
  expect(await judging(evidence, async () => 'late')).toBe('late');
  expect(evidence).toEqual(empty());
});

test('a refusal, thrown or rejected, is a finding and no fault', async () => {
  const evidence = empty();
  const refuse = (): never => {
    throw new Rejection('body-malformed', 'of what');
  };
  expect(await judging(evidence, refuse)).toBeUndefined();
  expect(await judging(evidence, async () => refuse())).toBeUndefined();
  const finding = { would: 'deny', reason: 'body-malformed', detail: 'of what' };
  expect(evidence).toEqual({ findings: [finding, finding], faults: [] });
});

test('a bug is both', () => {
  const evidence = empty();
  const bug = new TypeError('oh');
  noteThrown(evidence, bug);
  expect(evidence.findings).toMatchObject([{ would: 'deny', reason: 'internal-error' }]);
  expect(evidence.faults).toEqual([bug]);
});
