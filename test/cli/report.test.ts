import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/audit/report.ts';
import { type ReportOptions, report } from '../../src/cli/report.ts';
import type { AuditRecord } from '../../src/model/audit.ts';
import { auditText, minute } from '../support/audit-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const gatewayFile = (name: string, audit: string): string => {
  const file = join(folder, name);
  const lines = [
    'upstream: { url: http://x }',
    'issuers: [{ name: test, issuer: a, audience: a, keys: { url: https://a } }]',
    `policies: [${JSON.stringify(join(process.cwd(), 'policies/jaaz.yaml'))}]`,
    `audit: ${audit}`,
  ];
  writeFileSync(file, lines.join('\n'));
  return file;
};

const run = async (file: string, options: Partial<ReportOptions> = {}) => {
  const out: string[] = [];
  const err: string[] = [];
  const output = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const code = await report({ file, json: false, variables: {}, ...options }, output);
  return { code, out, err, text: out.join('\n') };
};

const shadow = (fields: Partial<AuditRecord>): string => auditText({ mode: 'shadow', findings: [], ...fields });

const lines = [
  ...Array.from({ length: 30 }, (_, i) => shadow({ owner: `test|user${i % 3}`, client: 'page', time: minute(i) })),
  shadow({
    ...{ route: 'canvas.read', address: '192.0.2.7', client: 'old page', time: minute(31) },
    findings: [{ would: 'deny', reason: 'token-missing', detail: '' }],
  }),
  'not a record',
];
writeFileSync(join(folder, 'audit.ndjson'), `${lines.join('\n')}\n{"time":"2026-`);
const file = gatewayFile('gateway.yaml', '{ file: audit.ndjson }');

describe('report', () => {
  test('says what is ready, what would break and for whom, what was never seen, and who has no token', async () => {
    const { code, text, err } = await run(file);
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(text).toContain('31 decisions: 31 in shadow, 0 in effect, 0 off');
    expect(text).toContain('lines passed over because they are no records: 1');
    expect(text).toContain('the last line is not whole');
    expect(text).toMatch(/READY TO ENFORCE.*\n.*\n {2}canvas\.list +30 +30 +3 /);
    expect(text).toMatch(/WOULD BREAK\n {2}canvas\.read: 1 in shadow, callers: 1\n {4}token-missing ×1\n/);
    expect(text).toContain('without token, 192.0.2.7, old page  1  2026-11-20 00:31 to 2026-11-20 00:31');
    expect(text).toMatch(/NEVER SEEN\n {2}ui\.index, /);
    expect(text).toContain(' canvas.create, ');
    expect(text).not.toContain('workspace.read-file');
    expect(text).toMatch(/WITHOUT A TOKEN.*\n.*\n {2}192\.0\.2\.7 +old page +token-missing +1 /);
  });

  test('says it as one JSON object of a form that stays', async () => {
    const { code, out } = await run(file, { json: true, since: Date.parse(minute(31)) });
    expect([code, out.length]).toEqual([0, 1]);
    const found = JSON.parse(out.join()) as Report;
    expect(Object.keys(found)).toEqual([
      ...['version', 'file', 'since', 'until', 'enough', 'lines', 'total', 'routes'],
      ...['reasons', 'users', 'clients', 'withoutToken', 'events'],
    ]);
    expect(found).toMatchObject({
      ...{ version: 1, file: join(folder, 'audit.ndjson'), since: minute(31), until: null },
      enough: { decisions: 20, callers: 2 },
      lines: { read: 1, outside: 30, malformed: 1, torn: true },
      total: { decisions: 1, shadow: 1, wouldRefuse: 1, first: minute(31), last: minute(31) },
      withoutToken: [{ address: '192.0.2.7', client: 'old page', reason: 'token-missing', count: 1 }],
    });
    expect(found.routes.find(({ route }) => route === 'canvas.read')).toMatchObject({
      ...{ readiness: 'breaks', callers: 1 },
      breakages: [{ reason: 'token-missing', count: 1, first: minute(31), last: minute(31) }],
    });
    expect(found.routes.find(({ route }) => route === 'canvas.list')?.readiness).toBe('unseen');
  });

  test('ends with 1 and says so when there is no audit file yet', async () => {
    const { code, out, err } = await run(gatewayFile('none.yaml', '{ file: none.ndjson }'));
    expect({ code, out }).toEqual({ code: 1, out: [] });
    expect(err).toEqual([`There is no audit file ${join(folder, 'none.ndjson')}. The gateway makes it when it runs.`]);
  });

  test('ends with 1 and says so when the file is a folder, or nothing is recorded', async () => {
    mkdirSync(join(folder, 'folder'));
    const folderFile = await run(gatewayFile('folder.yaml', '{ file: folder }'));
    expect([folderFile.code, folderFile.err.join()]).toEqual([1, expect.stringContaining('is a folder')]);
    const off = await run(gatewayFile('off.yaml', 'off'));
    expect([off.code, off.err.join()]).toEqual([1, expect.stringContaining('says "audit: off"')]);
  });

  test('ends with 2 for a period that ends before it begins', async () => {
    const { code, err } = await run(file, { since: 2_000, until: 2_000 });
    expect([code, err.join()]).toEqual([2, expect.stringContaining('--until must be later than --since')]);
  });

  test('ends with 3 when the configuration is not valid', async () => {
    const { code, err } = await run(gatewayFile('bad.yaml', '7'));
    expect([code, err.at(-1)]).toEqual([3, '1 fault']);
  });
});
