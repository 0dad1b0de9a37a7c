import { expect, test } from 'vitest';
import { type Answer, answerLines } from '../../src/cli/owners-text.ts';
import type { PlannedChange } from '../../src/store/sqlite/owner-migration.ts';

const change = (more: Partial<PlannedChange> = {}): PlannedChange => ({
  ...{ from: 'a|x', to: 'a|y', resources: 2, deleted: 0, sessions: 0, keys: 0, revocations: 0, meets: 0 },
  ...more,
});
const done = { redis: undefined, recorded: true } as const;
const text = (answer: Answer): string => answerLines(answer).join('\n');

test('a list is an owner a line', () => {
  const owners = [
    { owner: 'a|x\u202e', resources: 2, deleted: 0 },
    { owner: 'b|y', resources: 0, deleted: 3 },
  ];
  expect(text({ outcome: 'listed', owners })).toBe('a|x\\u202e  2\nb|y  0 (and 3 deleted)');
  expect(text({ outcome: 'listed', owners: [] })).toBe('Nobody owns anything.');
});

test('a plan says what would change, and that nothing has', () => {
  const changes = [change({ resources: 1, deleted: 2, sessions: 1, keys: 2, revocations: 1 })];
  const lines = text({ outcome: 'planned', changes, notes: ['A note.'] });
  expect(lines).toContain('a|x -> a|y: 1 resource, 2 deleted, 1 session to end, 2 API keys, 1 revocation');
  expect(lines).toContain('Left with a|x: 2 API keys.');
  expect(lines).toContain('A note.');
  expect(lines).toContain('Nothing was changed. --apply does it.');
});

test('keys that go with their account are not left anywhere', () => {
  const changes = [change({ from: 'service|a', to: 'service|b', keys: 1 })];
  expect(text({ outcome: 'planned', changes, notes: [] })).not.toContain('Left with');
});

test('a refusal says who would meet whom, and how they may', () => {
  const lines = text({ outcome: 'refused', conflicts: [change({ meets: 1 })] });
  expect(lines).toContain('a|x -> a|y: the new name would also have 1 resource of another');
  expect(lines).toContain('--merge');
});

test('what was done says how it is taken back, and what was not done of it', () => {
  const answer = { outcome: 'applied', changes: [change()], notes: [], undoFile: '/x/u.undo', ...done } as const;
  expect(text(answer)).toBe('Renamed a|x -> a|y: 2 resources\n"owners undo /x/u.undo" takes it back.');
  expect(text({ ...answer, outcome: 'failed', redis: 'remembers' })).toContain('Redis did not forget');
  expect(text({ ...answer, redis: 'forgot' })).not.toContain('Redis');
  expect(text({ ...answer, recorded: false })).toContain('The audit file could not be written');
});

test('what is given back is counted, and what is not', () => {
  const numbers = { resources: 3, changedSince: 1 };
  expect(text({ outcome: 'undone', ...numbers, ...done })).toBe(
    'Given back to the former owners: 3 resources.\nChanged hands since, and left as it is: 1 resource.',
  );
  expect(text({ outcome: 'undo-planned', ...numbers })).toContain(
    'To be given back to the former owners: 3 resources.',
  );
});

test('of a long list the end is told by its number', () => {
  const changes = Array.from({ length: 60 }, (_, index) => change({ from: `a|${index}` }));
  const lines = answerLines({ outcome: 'planned', changes, notes: [] });
  expect(lines).toHaveLength(52);
  expect(lines[50]).toBe('and 10 more, which --json tells');
});

test('a failure is its sentence', () => {
  expect(text({ outcome: 'failed', message: 'No.' })).toBe('No.');
});
