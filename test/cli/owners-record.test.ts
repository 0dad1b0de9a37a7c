import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { recordDeed } from '../../src/cli/owners-record.ts';

const directory = mkdtempSync(join(tmpdir(), 'owners-record-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('each deed is a line of the audit file, behind what the gateway has written', async () => {
  const file = join(directory, 'audit.ndjson');
  writeFileSync(file, '{"kind":"request"}\n');
  expect(await recordDeed({ audit: { file } }, ['one', 'two\u202e'], 0)).toBe(true);
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ kind, detail }) => [kind, detail])).toEqual([
    ['request', undefined],
    ['admin', 'one'],
    ['admin', 'two\u202e'],
  ]);
  expect(lines[1]).toMatchObject({ time: '1970-01-01T00:00:00.000Z', outcome: 'allowed', address: 'command line' });
});

test('what cannot be written is said, and what is switched off is not', async () => {
  expect(await recordDeed({ audit: { file: join(directory, 'audit.ndjson', 'below') } }, ['one'], 0)).toBe(false);
  expect(await recordDeed({ audit: undefined }, ['one'], 0)).toBeUndefined();
});
