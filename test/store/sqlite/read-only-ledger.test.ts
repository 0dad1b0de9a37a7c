import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { LedgerError } from '../../../src/store/ledger-error.ts';
import { openSqliteLedger } from '../../../src/store/sqlite/ownership-ledger.ts';
import { openLedgerForReading } from '../../../src/store/sqlite/read-only-ledger.ts';

const folder = mkdtempSync(join(tmpdir(), 'read-only-ledger-'));
afterAll(() => rmSync(folder, { recursive: true }));

const canvas = { kind: 'canvas', id: 'a' };

describe('a ledger that is opened for reading', () => {
  test('tells what a gateway that still runs has recorded', async () => {
    const path = join(folder, 'live.db');
    const live = openSqliteLedger({ path });
    await live.learn({ ref: canvas, parent: undefined, origin: 'admin' }, 'test|alice');
    const reader = openLedgerForReading({ path });
    expect(await reader.find([canvas, { kind: 'canvas', id: 'b' }])).toEqual([
      expect.objectContaining({ owner: 'test|alice', state: 'owned' }),
      undefined,
    ]);
    await live.release(canvas, 'test|alice');
    expect(await reader.find([canvas])).toEqual([expect.objectContaining({ state: 'deleted' })]);
    await reader.close();
    await live.close();
  });

  test('leaves every byte of it as it was, and nothing beside it', async () => {
    const place = mkdtempSync(join(folder, 'still-'));
    const path = join(place, 'still #1.db');
    const written = openSqliteLedger({ path });
    await written.learn({ ref: canvas, parent: undefined, origin: 'admin' }, 'test|alice');
    await written.close();
    const before = readFileSync(path);
    const reader = openLedgerForReading({ path });
    expect(await reader.find([canvas])).toMatchObject([{ owner: 'test|alice' }]);
    await reader.close();
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(place)).toEqual(['still #1.db']);
  });

  test('is not made where it is missing', () => {
    const path = join(folder, 'nowhere.db');
    expect(() => openLedgerForReading({ path })).toThrow(LedgerError);
    expect(existsSync(path)).toBe(false);
  });

  test('must be one', () => {
    const path = join(folder, 'text.db');
    writeFileSync(path, 'not a database');
    expect(() => openLedgerForReading({ path })).toThrow(`the ledger ${path} cannot be read: `);
  });
});
