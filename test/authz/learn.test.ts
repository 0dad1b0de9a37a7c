import { expect, test } from 'vitest';
import { learn } from '../../src/authz/learn.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { refusalOf } from '../support/bodies.ts';

const learned = { ref: { kind: 'file', id: 'f' }, parent: undefined, origin: 'response' } as const;

test('what is learned is its owner’s, again and again, and nobody else’s', async () => {
  const ledger = memoryLedger();
  const stage = learn(ledger);
  expect(await stage(learned, 'alice')).toBe('learned');
  expect(await stage(learned, 'alice')).toBe('known');
  expect(await stage(learned, 'bob')).toBe('conflict');
  expect(await ledger.find([learned.ref])).toMatchObject([{ owner: 'alice', origin: 'response', state: 'owned' }]);
});

test('a tombstone is never learned anew', async () => {
  const ledger = memoryLedger();
  await learn(ledger)(learned, 'alice');
  await ledger.release(learned.ref, 'alice');
  expect(await learn(ledger)(learned, 'alice')).toBe('conflict');
});

test('a ledger that is down is a 503', async () => {
  const down = async () => {
    throw new Error('disk on fire');
  };
  expect(await refusalOf(() => learn({ ...memoryLedger(), learn: down })(learned, 'alice'))).toBe(
    'ledger-unavailable 503',
  );
});
