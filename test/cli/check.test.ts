import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { check } from '../../src/cli/check.ts';

const folder = mkdtempSync(join(tmpdir(), 'check-'));
afterAll(() => rmSync(folder, { recursive: true }));

function run(file: string, json = false) {
  const out: string[] = [];
  const err: string[] = [];
  const output = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  return { code: check({ file, json, variables: {} }, output), out, err };
}

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('check', () => {
  test('says that the sample is fine, and what is in it', () => {
    const { code, out, err } = run('gateway.yaml');
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out).toEqual([
      expect.stringMatching(/^gateway.yaml: fine \(1 issuer, \d\d routes, 3 resources, 1 socket\)$/),
    ]);
  });

  test('says it as JSON', () => {
    const { code, out } = run('gateway.yaml', true);
    expect(code).toBe(0);
    expect(JSON.parse(out.join())).toMatchObject({ valid: true, issuers: 1, resources: 3, sockets: 1 });
  });

  test('tells the faults of the configuration and of its policies together', () => {
    write('p.yaml', 'version: 1\nname: p\nbogus: 1\n');
    const file = write('bad.yaml', 'upstream: { url: http://x }\nissuers: []\npolicies: [p.yaml]\nlegder: {}\n');
    const { code, out, err } = run(file);
    expect({ code, out }).toEqual({ code: 3, out: [] });
    expect(err.join('\n')).toContain('bad.yaml:2:10: issuers is too small');
    expect(err.join('\n')).toContain('bad.yaml:4:1: unknown key "legder", did you mean "ledger"?');
    expect(err.join('\n')).toContain('p.yaml:3:1: unknown key "bogus"');
    expect(err.at(-1)).toBe(`${err.length - 1} faults`);
  });

  test('tells them as JSON, with the place of each', () => {
    const { code, out, err } = run(join(folder, 'missing.yaml'), true);
    expect({ code, err }).toEqual({ code: 3, err: [] });
    expect(JSON.parse(out.join())).toEqual({
      valid: false,
      faults: [{ file: join(folder, 'missing.yaml'), line: 1, column: 1, message: 'the file cannot be read: ENOENT' }],
    });
  });

  test('creates nothing', () => {
    const file = write(
      'fine.yaml',
      [
        'upstream: { url: http://x }',
        'issuers: [{ name: a, issuer: a, audience: a, keys: { url: https://a } }]',
        `policies: [${JSON.stringify(join(process.cwd(), 'policies/jaaz.yaml'))}]`,
      ].join('\n'),
    );
    const before = readdirSync(folder);
    expect(run(file).code).toBe(0);
    expect(readdirSync(folder)).toEqual(before);
  });
});
