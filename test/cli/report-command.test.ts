import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCommand } from '../../src/cli/run.ts';
import { auditText, minute } from '../support/audit-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'report-command-'));
afterAll(() => rmSync(folder, { recursive: true }));

const run = async (...words: readonly string[]) => {
  const out: string[] = [];
  const err: string[] = [];
  const output = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const code = await runCommand(words, { output, variables: {}, stopped: () => new Promise<string>(() => undefined) });
  return { code, out, err };
};

const file = join(folder, 'gateway.yaml');
writeFileSync(join(folder, 'audit.ndjson'), [1, 2, 3].map((at) => `${auditText({ time: minute(at) })}\n`).join(''));
writeFileSync(
  file,
  [
    'upstream: { url: http://x }',
    'issuers: [{ name: test, issuer: a, audience: a, keys: { url: https://a } }]',
    `policies: [${JSON.stringify(join(process.cwd(), 'policies/jaaz.yaml'))}]`,
    'audit: { file: audit.ndjson }',
  ].join('\n'),
);

test('report takes its period and its file from its flags', async () => {
  const period = ['--since', '2026-11-20T00:02Z', '--until', '2026-11-20T00:03Z'];
  const { code, out, err } = await run('report', '--config', file, '--json', ...period);
  expect({ code, err }).toEqual({ code: 0, err: [] });
  expect(JSON.parse(out.join())).toMatchObject({ since: minute(2), until: minute(3), lines: { read: 1, outside: 2 } });
});

test('report is of the whole file unless it is told', async () => {
  const { out } = await run('report', '--config', file);
  expect(out[1]).toBe('  3 decisions: 0 in shadow, 3 in effect, 0 off');
});

test.each(['yesterday', '24', '2026-11-31x'])('a time such as %j is a wrong use', async (time) => {
  const { code, err } = await run('report', '--config', file, '--since', time);
  expect([code, err.join('\n')]).toEqual([2, expect.stringContaining('Expected a span of time such as 24h')]);
});
