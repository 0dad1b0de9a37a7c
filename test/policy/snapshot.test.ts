import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isUnchanged, takeSnapshot } from '../../src/policy/snapshot.ts';

const folder = mkdtempSync(join(tmpdir(), 'snapshot-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fileOf = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const policy = (name: string): string =>
  `{ version: 1, name: ${name}, routes: [{ id: ${name}, match: GET /${name} }] }\n`;

describe('the digest', () => {
  test('is what `sha256sum FILES | sha256sum` says', () => {
    const files = [fileOf('one.yaml', policy('one')), fileOf('two.yaml', policy('two'))];
    const { sha256, files: seen } = takeSnapshot(files);
    const lines = files.map((file) => `${hash('sha256', readFileSync(file))}  ${file}\n`);
    expect(seen.map((one) => `${one.sha256}  ${one.file}\n`)).toEqual(lines);
    expect(sha256).toBe(hash('sha256', lines.join('')));
  });

  test('differs with every byte, every name and every file that is away', () => {
    const [one, two] = [fileOf('a.yaml', policy('a')), fileOf('b.yaml', policy('a'))];
    const first = takeSnapshot([one]).sha256;
    const digests = [first, takeSnapshot([two]).sha256, takeSnapshot([join(folder, 'none')]).sha256];
    writeFileSync(one, `${policy('a')} `);
    expect(new Set([...digests, takeSnapshot([one]).sha256]).size).toBe(4);
    writeFileSync(one, policy('a'));
    expect(takeSnapshot([one]).sha256).toBe(first);
  });

  test('is of the bytes that were loaded: a file is read once', () => {
    const file = fileOf('once.yaml', 'one');
    const texts: string[] = [];
    const { files } = takeSnapshot([file], (_, read) => {
      texts.push(read(file).toString());
      writeFileSync(file, 'two');
      texts.push(read(file).toString());
      return { faults: [] };
    });
    expect(texts).toEqual(['one', 'one']);
    expect(isUnchanged({ files })).toBe(false);
  });
});

describe('a look', () => {
  test('that finds a file away remembers it, and notices when it comes', () => {
    const file = join(folder, 'late.yaml');
    const seen = takeSnapshot([file]);
    expect(seen).toMatchObject({ files: [{ file, sha256: undefined }], loaded: { faults: [{ file }] } });
    expect(isUnchanged(seen)).toBe(true);
    writeFileSync(file, policy('late'));
    expect(isUnchanged(seen)).toBe(false);
  });

  test('that finds a folder in place of an included file notices when it is a file', () => {
    const file = fileOf(
      'above.yaml',
      `{ version: 1, name: a, include: [below.yaml], routes: [{ id: a, match: GET /a }] }`,
    );
    mkdirSync(join(folder, 'below.yaml'));
    const seen = takeSnapshot([file]);
    expect(seen.files.map((one) => one.file)).toEqual([file, join(folder, 'below.yaml')]);
    expect([seen.loaded, isUnchanged(seen)]).toEqual([expect.objectContaining({ faults: [expect.anything()] }), true]);
    rmdirSync(join(folder, 'below.yaml'));
    fileOf('below.yaml', policy('below'));
    expect(isUnchanged(seen)).toBe(false);
    expect(takeSnapshot([file]).loaded).toHaveProperty('policy.routes.length', 2);
  });

  test('that is the same as before is unchanged, whatever the times of the file say', () => {
    const file = fileOf('same.yaml', policy('same'));
    const seen = takeSnapshot([file]);
    rmSync(file);
    writeFileSync(file, policy('same'));
    expect(isUnchanged(seen)).toBe(true);
  });

  test('that makes the loading itself fail has a fault, and does not throw', () => {
    const load = () => {
      throw new Error('a bug');
    };
    expect(takeSnapshot(['x.yaml'], load).loaded).toEqual({
      faults: [{ file: 'x.yaml', line: 0, column: 0, message: 'the policy cannot be loaded: Error: a bug' }],
    });
  });
});
