import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fileSink } from '../../../src/audit/sinks/file.ts';
import { eventually } from '../../support/eventually.ts';

const folder = mkdtempSync(join(tmpdir(), 'audit-'));
afterAll(() => rmSync(folder, { recursive: true }));
const quiet = (): void => undefined;
const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1);

describe('a file', () => {
  test('holds every line, in order, a moment later', async () => {
    const path = join(folder, 'new/folder/a.ndjson');
    const sink = await fileSink({ path, onFault: quiet });
    const lines = Array.from({ length: 10_000 }, (_, index) => `{"n":${index}}`);
    for (const [index, line] of lines.entries()) {
      sink.write(line);
      if (index % 1000 === 0) await new Promise(setImmediate);
    }
    await eventually(() => linesOf(path).length === lines.length);
    expect(linesOf(path)).toEqual(lines);
    expect([sink.dropped(), sink.healthy()]).toEqual([0, true]);
    await sink.close();
  });

  test('is complete when the sink is closed, and appended to by the next', async () => {
    const path = join(folder, 'b.ndjson');
    for (const text of ['one', 'two']) {
      const sink = await fileSink({ path, onFault: quiet });
      sink.write(text);
      await sink.close();
    }
    expect(linesOf(path)).toEqual(['one', 'two']);
  });

  test('is nobody else’s to read', async () => {
    const path = join(folder, 'c.ndjson');
    await (await fileSink({ path, onFault: quiet })).close();
    expect(statSync(path).mode & 0o007).toBe(0);
  });

  test('that cannot be opened is an error at the start', async () => {
    await expect(fileSink({ path: folder, onFault: quiet })).rejects.toThrow();
  });
});

describe('a write that fails half-way', () => {
  const TORN = '{"torn":true,"te';
  /** Writes the beginning of the first batch only, and fails; then the disk has room again. */
  const tornOnce = async (name: string) => {
    const path = join(folder, name);
    let writes = 0;
    const sink = await fileSink({
      path,
      onFault: quiet,
      append: async (file, text) => {
        writes += 1;
        await file.appendFile(writes === 1 ? text.slice(0, TORN.length) : text);
        if (writes === 1) throw new Error('no space left');
      },
    });
    sink.write('{"torn":true,"text":"first"}');
    await eventually(() => !sink.healthy());
    return { path, sink };
  };

  test('spoils its own line only: the next attempt begins a new one', async () => {
    const { path, sink } = await tornOnce('torn-a');
    sink.write('{"n":2}');
    await eventually(() => sink.healthy());
    sink.write('{"n":3}');
    await sink.close();
    expect(linesOf(path)).toEqual([TORN, '{"torn":true,"text":"first"}', '{"n":2}', '{"n":3}']);
    expect(sink.dropped()).toBe(0);
  });

  test('does so also where the next attempt is the last', async () => {
    const { path, sink } = await tornOnce('torn-b');
    await sink.close();
    expect(linesOf(path)).toEqual([TORN, '{"torn":true,"text":"first"}']);
    expect(sink.dropped()).toBe(0);
  });
});

test('a line that an earlier process did not finish is not continued', async () => {
  const path = join(folder, 'crashed.ndjson');
  for (const before of ['', '{"n":1}\n', '{"n":1}\n{"n":2,"te']) {
    writeFileSync(path, before);
    const sink = await fileSink({ path, onFault: quiet });
    await sink.close();
    expect(readFileSync(path, 'utf8')).toBe(before);
    const next = await fileSink({ path, onFault: quiet });
    next.write('{"n":3}');
    await next.close();
    expect(linesOf(path)).toEqual([...before.split('\n').filter((line) => line !== ''), '{"n":3}']);
  }
});

describe('a disk that is full', () => {
  const full = async (maxWaiting: number) => {
    const path = join(folder, `full-${maxWaiting}`);
    symlinkSync('/dev/full', path);
    const faults: unknown[] = [];
    return { faults, sink: await fileSink({ path, maxWaiting, onFault: (error) => faults.push(error) }) };
  };

  test('is told of once; what cannot be kept any more is counted', async () => {
    const { sink, faults } = await full(100);
    sink.write('x'.repeat(60));
    await eventually(() => !sink.healthy());
    expect(faults).toMatchObject([{ code: 'ENOSPC' }]);
    sink.write('y'.repeat(30));
    expect(sink.dropped()).toBe(0);
    sink.write('z'.repeat(30));
    expect(sink.dropped()).toBe(1);
    await sink.close();
  });

  test('counts what is lost when the process ends, each line once', async () => {
    const { sink } = await full(1_000);
    sink.write('one');
    sink.write('two');
    await eventually(() => !sink.healthy());
    sink.write('three');
    await sink.close();
    expect(sink.dropped()).toBe(3);
  });
});
