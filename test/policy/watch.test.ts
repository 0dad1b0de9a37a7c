import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { foldersOf, watchFiles } from '../../src/policy/watch.ts';
import { eventually } from '../support/eventually.ts';

let folder: string;
let end: () => void;
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'watch-'));
});
afterEach(() => {
  end();
  rmSync(folder, { recursive: true, force: true });
});

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return 'missing';
  }
};

/** Resolves when the first look is over, with what the file held each time that it was said to have changed. */
const watching = async (file: string, options: { lookMillis?: number; settleMillis?: number } = {}) => {
  const seen: string[] = [];
  const changed = (): void => void seen.push(read(file));
  // A slow look that never comes: what is noticed, an event told.
  end = watchFiles({ files: () => [file], changed, settleMillis: 20, lookMillis: 1e9, ...options });
  await eventually(() => seen.length === 1);
  return seen;
};

describe('a change is noticed', () => {
  test('when the file is written in place', async () => {
    const file = join(folder, 'p.yaml');
    writeFileSync(file, 'one');
    const seen = await watching(file);
    writeFileSync(file, 'two');
    await eventually(() => seen.length === 2);
    writeFileSync(file, 'three');
    await eventually(() => seen.length === 3);
    expect(seen).toEqual(['one', 'two', 'three']);
  });

  test('when another file takes its name, again and again', async () => {
    const file = join(folder, 'p.yaml');
    writeFileSync(file, '0');
    const seen = await watching(file);
    for (let count = 1; count <= 3; count += 1) {
      writeFileSync(`${file}.new`, String(count));
      renameSync(`${file}.new`, file);
      await eventually(() => seen.at(-1) === String(count));
    }
  });

  test('when the link to the folder of a ConfigMap is swapped, again and again', async () => {
    const mount = join(folder, 'mount');
    mkdirSync(mount);
    const swap = (version: string): void => {
      mkdirSync(join(mount, `..${version}`));
      writeFileSync(join(mount, `..${version}`, 'p.yaml'), version);
      symlinkSync(`..${version}`, join(mount, '..data_tmp'));
      renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
    };
    swap('one');
    symlinkSync('..data/p.yaml', join(mount, 'p.yaml'));
    const seen = await watching(join(mount, 'p.yaml'));
    swap('two');
    rmSync(join(mount, '..one'), { recursive: true });
    await eventually(() => seen.at(-1) === 'two');
    swap('three');
    rmSync(join(mount, '..two'), { recursive: true });
    await eventually(() => seen.at(-1) === 'three');
    // The folder that the link leads to now is watched too.
    writeFileSync(join(mount, '..three', 'p.yaml'), 'four');
    await eventually(() => seen.at(-1) === 'four');
  });

  test('when the file is away, and when it is there again', async () => {
    const file = join(folder, 'p.yaml');
    writeFileSync(file, 'one');
    const seen = await watching(file);
    rmSync(file);
    await eventually(() => seen.at(-1) === 'missing');
    writeFileSync(file, 'one');
    await eventually(() => seen.at(-1) === 'one');
    expect(seen).toEqual(['one', 'missing', 'one']);
  });

  test('when its whole folder is replaced', async () => {
    const [inner, file] = [join(folder, 'inner'), join(folder, 'inner', 'p.yaml')];
    mkdirSync(inner);
    writeFileSync(file, 'one');
    const seen = await watching(file, { lookMillis: 50 });
    renameSync(inner, join(folder, 'old'));
    mkdirSync(inner);
    writeFileSync(file, 'two');
    await eventually(() => seen.at(-1) === 'two');
    writeFileSync(file, 'three');
    await eventually(() => seen.at(-1) === 'three');
  });

  test('without any event, at the next slow look', async () => {
    const away = join(folder, 'not-yet', 'p.yaml');
    const seen = await watching(away, { lookMillis: 20 });
    expect(seen).toEqual(['missing']);
    mkdirSync(join(folder, 'not-yet'));
    writeFileSync(away, 'one');
    await eventually(() => seen.at(-1) === 'one');
  });
});

test('half a file is not told of, but the whole one', async () => {
  const file = join(folder, 'p.yaml');
  writeFileSync(file, 'one');
  const seen = await watching(file, { settleMillis: 150 });
  writeFileSync(file, 'ha');
  for (const part of ['l', 'f', ' and', ' half']) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    writeFileSync(file, part, { flag: 'a' });
  }
  await eventually(() => seen.length === 2);
  expect(seen).toEqual(['one', 'half and half']);
});

test('other files of the folder are not told of', async () => {
  const file = join(folder, 'p.yaml');
  writeFileSync(file, 'one');
  const seen = await watching(file);
  for (let count = 0; count < 20; count += 1) writeFileSync(join(folder, 'other'), String(count));
  writeFileSync(file, 'two');
  await eventually(() => seen.length === 2);
  expect(seen).toEqual(['one', 'two']);
});

test('files are asked for anew: one that joins later is watched too', async () => {
  const [first, second] = [join(folder, 'a.yaml'), join(folder, 'b.yaml')];
  writeFileSync(first, 'a');
  writeFileSync(second, 'b');
  const files = [first];
  let changes = 0;
  const changed = (): void => {
    changes += 1;
    files[1] = second;
  };
  end = watchFiles({ files: () => files, changed, settleMillis: 20, lookMillis: 20 });
  await eventually(() => changes === 2);
  writeFileSync(second, 'c');
  await eventually(() => changes === 3);
});

test('nothing is told of after the end', async () => {
  const file = join(folder, 'p.yaml');
  writeFileSync(file, 'one');
  const seen: string[] = [];
  let looks = 0;
  const files = (): string[] => {
    looks += 1;
    return [file];
  };
  const settleMillis = 200;
  end = watchFiles({ files, changed: () => seen.push(read(file)), settleMillis, lookMillis: 1e9 });
  await eventually(() => seen.length === 1);
  const before = looks;
  writeFileSync(file, 'two');
  // It is noticed, but has not been left alone for long enough when the end comes.
  await eventually(() => looks >= before + 2);
  end();
  // One that begins now waits for as long, and so until after the other would have told.
  const witness: string[] = [];
  end = watchFiles({ files: () => [file], changed: () => witness.push(''), settleMillis });
  await eventually(() => witness.length === 1);
  expect(seen).toEqual(['one']);
});

describe('the folders of a file', () => {
  test('are its own, and that of each link on the way', async () => {
    end = () => undefined;
    for (const name of ['a', 'b', 'c']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'c', 'p.yaml'), '');
    symlinkSync('../b', join(folder, 'a', 'link'));
    symlinkSync(join(folder, 'c', 'p.yaml'), join(folder, 'b', 'p.yaml'));
    const found = await foldersOf(join(folder, 'a', 'link', 'p.yaml'));
    expect(found).toEqual(['a', 'b', 'c'].map((name) => join(folder, name)));
  });

  test('of links that go round in a circle have an end', async () => {
    end = () => undefined;
    symlinkSync('two', join(folder, 'one'));
    symlinkSync('one', join(folder, 'two'));
    expect(await foldersOf(join(folder, 'one'))).toEqual([folder]);
  });
});
