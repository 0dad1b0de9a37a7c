import { describe, expect, test } from 'vitest';
import { checkOwn, checkOwnInLedger, checkReferences } from '../../src/authz/check.ts';
import { ownershipLookup } from '../../src/authz/lookup.ts';
import type { ResourceRef } from '../../src/model/resource.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { refusalOf } from '../support/bodies.ts';

const ref = (id: string): ResourceRef => ({ kind: 'file', id });

const open = async () => {
  const ledger = memoryLedger();
  for (const [id, owner] of [
    ['hers', 'alice'],
    ['hers-too', 'alice'],
    ['his', 'bob'],
    ['gone', 'alice'],
  ] as const) {
    await ledger.learn({ ref: ref(id), parent: undefined, origin: 'request' }, owner);
  }
  await ledger.release(ref('gone'), 'alice');
  const near = nearOwnershipCache({ maxEntries: 100, maxAgeMillis: 60_000 });
  return { ledger, near, lookup: ownershipLookup({ ledger, near, common: undefined }) };
};

describe('checkOwn', () => {
  test.each([
    [['hers'], 'accepted'],
    [['hers', 'hers-too'], 'accepted'],
    [[], 'accepted'],
    [['his'], 'resource-hidden 404'],
    [['hers', 'his'], 'resource-hidden 404'],
    [['his', 'hers'], 'resource-hidden 404'],
    [['hers', 'nobodys'], 'resource-hidden 404'],
    [['gone'], 'resource-hidden 404'],
  ])('%j', async (ids, expected) => {
    const { lookup } = await open();
    expect(await refusalOf(() => checkOwn(lookup, ids.map(ref), 'alice'))).toBe(expected);
  });

  test('answers at once when all owners are near, also with a refusal', async () => {
    const { lookup } = await open();
    await lookup.ownersOf([ref('hers')]);
    expect(checkOwn(lookup, [ref('hers')], 'alice')).toBeUndefined();
    expect(() => checkOwn(lookup, [ref('hers')], 'bob')).toThrow('file:hers is another owner’s');
  });
});

test('checkOwnInLedger does not believe a cache', async () => {
  const { lookup, ledger, near } = await open();
  near.set(ref('his'), 'alice', near.mark());
  await lookup.ownersOf([ref('hers')]);
  await ledger.release(ref('hers'), 'alice');
  expect(await refusalOf(() => checkOwnInLedger(lookup, [ref('his')], 'alice'))).toBe('resource-hidden 404');
  expect(await refusalOf(() => checkOwnInLedger(lookup, [ref('hers')], 'alice'))).toBe('resource-hidden 404');
  expect(await refusalOf(() => checkOwnInLedger(lookup, [ref('hers-too')], 'alice'))).toBe('accepted');
});

describe('checkReferences', () => {
  test.each([
    ['own', ['hers'], [], 'accepted'],
    ['own and a bare one', ['hers'], ['hers-too'], 'accepted'],
    ['an unknown bare name', [], ['nobodys'], 'accepted'],
    ['an unknown citation', ['nobodys'], [], 'reference-foreign 403'],
    ['another’s citation', ['his'], [], 'reference-foreign 403'],
    ['another’s bare name', ['hers'], ['his'], 'reference-foreign 403'],
    ['one’s own tombstone, cited', ['gone'], [], 'reference-foreign 403'],
    ['one’s own tombstone, bare', [], ['gone'], 'reference-foreign 403'],
    ['nothing', [], [], 'accepted'],
  ])('%s', async (_name, own, bare, expected) => {
    const { lookup } = await open();
    const cited = { mustOwn: own.map(ref), mustNotBeForeign: bare.map(ref) };
    expect(await refusalOf(() => checkReferences(lookup, cited, 'alice'))).toBe(expected);
  });

  test('another’s tombstone is refused as well', async () => {
    const { lookup } = await open();
    const cited = { mustOwn: [], mustNotBeForeign: [ref('gone')] };
    expect(await refusalOf(() => checkReferences(lookup, cited, 'bob'))).toBe('reference-foreign 403');
  });
});
