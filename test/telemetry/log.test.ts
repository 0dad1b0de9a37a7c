import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createLog, type LogLevel } from '../../src/telemetry/log.ts';
import { eventually } from '../support/eventually.ts';

const folder = mkdtempSync(join(tmpdir(), 'log-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Resolves with the lines when there are so many: one whose writing was under way may come after the flush. */
async function linesOf(
  level: LogLevel,
  count: number,
  write: (log: ReturnType<typeof createLog>) => void,
): Promise<Record<string, unknown>[]> {
  const file = join(folder, `${level}.log`);
  const log = createLog({ level, file });
  write(log);
  log.flush();
  const lines = (): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  await eventually(() => lines().length >= count);
  return lines().map((line) => JSON.parse(line));
}

test('a line is one JSON object with level, time, fields and message', async () => {
  const [line, ...rest] = await linesOf('info', 1, (log) => log.info({ port: 1, text: 'a\nb' }, 'listening'));
  expect(rest).toEqual([]);
  expect(line).toEqual({
    level: 'info',
    time: expect.stringMatching(/^20..-.*Z$/),
    port: 1,
    text: 'a\nb',
    message: 'listening',
  });
});

test('lines below the level are not written', async () => {
  const lines = await linesOf('warn', 2, (log) => {
    log.debug({}, 'd');
    log.info({}, 'i');
    log.warn({}, 'w');
    log.error({}, 'e');
  });
  // A write may be under way when the rest is flushed, so the last lines may change places.
  expect(lines.map((line) => line.message).sort()).toEqual(['e', 'w']);
});

test('an error is written with its message, its stack and its cause', async () => {
  const err = new Error('outer', { cause: new Error('inner') });
  const [line] = await linesOf('error', 1, (log) => log.error({ err }, 'failed'));
  expect(line?.err).toMatchObject({ type: 'Error', message: expect.stringContaining('outer') });
  expect(JSON.stringify(line)).toContain('inner');
});
