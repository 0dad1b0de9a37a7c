import { expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import { LedgerError } from '../../src/store/ledger-error.ts';

test('says what went wrong and keeps what was below it', () => {
  const cause = new Error('disk I/O error');
  const error = new LedgerError('the ledger cannot be read', cause);
  expect(error).toMatchObject({ name: 'LedgerError', message: 'the ledger cannot be read', cause });
});

test('is no refusal of its own: who asks decides what to refuse', () => {
  const error = new LedgerError('the ledger cannot be read');
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(Rejection);
  expect(error.cause).toBeUndefined();
});
