import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readUndoFile, writeUndoFile } from '../../src/cli/owner-undo.ts';
import type { OwnerUndo } from '../../src/model/owner-change.ts';

const directory = mkdtempSync(join(tmpdir(), 'owner-undo-'));
afterAll(() => rmSync(directory, { recursive: true }));

const undo = (resources: number): OwnerUndo => ({
  changes: [{ from: 'a|x\ny', to: 'b|Zoë' }],
  revocations: ['r1'],
  keys: [{ id: 'k', from: 'ci', to: 'build' }],
  moved: Array.from({ length: resources }, (_, index) => ({ kind: 'canvas', id: `c\n"${index}`, change: 0 })),
});

test.each([0, 1, 5_000, 12_345])('%d resources are read as they were written', (resources) => {
  const path = join(directory, `${resources}.undo`);
  writeUndoFile(path, undo(resources));
  expect(readUndoFile(path)).toEqual(undo(resources));
});

test('what is there already is not written over, and nobody else may read it', () => {
  const path = join(directory, 'mine.undo');
  writeUndoFile(path, undo(1));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(() => writeUndoFile(path, undo(2))).toThrow('EEXIST');
  expect(readUndoFile(path)).toEqual(undo(1));
});

test.each([
  ['is empty', () => ''],
  ['is something else', () => '{"file":"other"}\n{"resources":0}\n'],
  ['is no JSON', () => 'hello\n'],
  ['lacks its end', (text: string) => text.split('\n').slice(0, -2).join('\n')],
  ['lacks a line', (text: string) => text.replace(/\n\[.*?\n/, '\n')],
  ['was cut within its last line', (text: string) => text.slice(0, -3)],
])('a file that %s is not believed', (_, change) => {
  const good = join(directory, 'good.undo');
  rmSync(good, { force: true });
  writeUndoFile(good, undo(3));
  const path = join(directory, 'bad.undo');
  writeFileSync(path, change(readFileSync(good, 'utf8')));
  expect(() => readUndoFile(path)).toThrow(SyntaxError);
});
