import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createLog, type LogLevel } from '../../src/telemetry/log.ts';

const folder = mkdtempSync(join(tmpdir(), 'log-'));
afterAll(() => rmSync(folder, { recursive: true }));

function linesOf(level: LogLevel, write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const file = join(folder, `${level}.log`);
  const log = createLog({ level, file });
  write(log);
  log.flush();
  const text = readFileSync(file, 'utf8');
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
}

test('a line is one JSON object with level, time, fields and message', () => {
  const [line, ...rest] = linesOf('info', (log) => log.info({ port: 1, text: 'a\nb' }, 'listening'));
  expect(rest).toEqual([]);
  expect(line).toEqual({
    level: 'info',
    time: expect.stringMatching(/^20..-.*Z$/),
    port: 1,
    text: 'a\nb',
    message: 'listening',
  });
});

test('lines below the level are not written', () => {
  const lines = linesOf('warn', (log) => {
    log.debug({}, 'd');
    log.info({}, 'i');
    log.warn({}, 'w');
    log.error({}, 'e');
  });
  // A write may be under way when the rest is flushed, so the last lines may change places.
  expect(lines.map((line) => line.message).sort()).toEqual(['e', 'w']);
});

test('an error is written with its message, its stack and its cause', () => {
  const err = new Error('outer', { cause: new Error('inner') });
  const [line] = linesOf('error', (log) => log.error({ err }, 'failed'));
  expect(line?.err).toMatchObject({ type: 'Error', message: expect.stringContaining('outer') });
  expect(JSON.stringify(line)).toContain('inner');
});
