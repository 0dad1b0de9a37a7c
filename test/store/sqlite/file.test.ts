import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openSqliteFile } from '../../../src/store/sqlite/file.ts';
import { sqliteLedger } from '../../../src/store/sqlite/ownership-ledger.ts';

const directory = mkdtempSync(join(tmpdir(), 'sqlite-file-'));
afterAll(() => rmSync(directory, { recursive: true }));

const claim = { ref: { kind: 'canvas', id: 'c' }, parent: undefined, verb: 'create' } as const;

test('what waits to be written when it is closed is written, and closing it twice is no fault', async () => {
  const path = join(directory, 'ledger.db');
  const file = openSqliteFile({ path });
  const claimed = sqliteLedger(file).claim([claim], 'main|ann', 'r');
  file.close();
  file.close();
  expect((await claimed).claimed).toBe(true);
  const again = openSqliteFile({ path });
  expect(await sqliteLedger(again).find([claim.ref])).toMatchObject([{ owner: 'main|ann' }]);
  again.close();
});

test('all that is kept in it sees what waits in the same turn, and is closed with the ledger', async () => {
  const file = openSqliteFile({ path: ':memory:' });
  const ledger = sqliteLedger(file);
  await ledger.close();
  expect(file.database.isOpen).toBe(false);
  await expect(ledger.find([claim.ref])).rejects.toThrow('the ledger cannot be read');
});
