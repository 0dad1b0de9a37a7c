import { describe, expect, test } from 'vitest';
import { learnFrom } from '../../src/filter/learned.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import type { ResourceKind } from '../../src/model/resource.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';

const resource = jaazPolicy().resources.get('file') as ResourceKind;
const rule = (path: string) => [{ resource, path: parseFieldPath(path) }];

const open = (outcome: 'learned' | 'known' | 'conflict' = 'learned') => {
  const learned: unknown[] = [];
  const learn = async (id: unknown, owner: string) => {
    learned.push([id, owner]);
    return outcome;
  };
  return { learned, learner: { learn, owner: 'alice' } };
};

describe('what an answer names', () => {
  test('becomes the caller’s', async () => {
    const { learned, learner } = open();
    await learnFrom({ files: [{ id: 'im_aaaaaaaa.png' }, { id: 'im_bbbbbbbb.png' }] }, rule('files[*].id'), learner);
    const ref = (id: string) => ({ ref: { kind: 'file', id }, parent: undefined, origin: 'response' });
    expect(learned).toEqual([
      [ref('im_aaaaaaaa.png'), 'alice'],
      [ref('im_bbbbbbbb.png'), 'alice'],
    ]);
  });

  test.each([
    ['nothing', {}],
    ['another type', { id: 7 }],
    ['another form', { id: '../x' }],
  ])('is refused when it is %s', async (_what, value) => {
    const { learned, learner } = open();
    expect(await refusalOf(() => learnFrom(value, rule('id'), learner))).toBe('answer-unreadable 502');
    expect(learned).toEqual([]);
  });

  test('is refused when nobody could own it, at once whatever the grammar', async () => {
    const { learned, learner } = open();
    const wide = { ...resource, pattern: /^(?:a*a*a*b?)$/, reserved: new Set(['a']) };
    const rules = [{ resource: wide, path: parseFieldPath('id') }];
    for (const id of ['a', `${'a'.repeat(256)}b`, `${'a'.repeat(100_000)}c`]) {
      expect(await refusalOf(() => learnFrom({ id }, rules, learner))).toBe('answer-unreadable 502');
    }
    expect(learned).toEqual([]);
  });

  test('is refused when it is another’s', async () => {
    const { learner } = open('conflict');
    expect(await refusalOf(() => learnFrom({ id: 'im_aaaaaaaa.png' }, rule('id'), learner))).toBe('learn-conflict 502');
  });
});
