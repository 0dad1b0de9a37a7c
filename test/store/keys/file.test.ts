import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileKeySource } from '../../../src/store/keys/file.ts';

describe('fileKeySource', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keys-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const never = new AbortController().signal;

  test('returns what the file holds now', async () => {
    const path = join(folder, 'keys.json');
    const source = fileKeySource(path);
    for (const text of ['{"keys":[]}', '{"keys":[1]}', '']) {
      await writeFile(path, text);
      expect(Buffer.from(await source.read(never)).toString()).toBe(text);
    }
  });

  test('takes a file of exactly the bound and rejects a larger one', async () => {
    const path = join(folder, 'large.json');
    await writeFile(path, 'x'.repeat(100));
    expect(await fileKeySource(path, 100).read(never)).toHaveLength(100);
    await expect(fileKeySource(path, 99).read(never)).rejects.toThrow('larger than 99');
  });

  test('rejects a missing file and a folder', async () => {
    await expect(fileKeySource(join(folder, 'none')).read(never)).rejects.toThrow('ENOENT');
    await expect(fileKeySource(folder).read(never)).rejects.toThrow('regular file');
  });
});
