import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterAll, describe, expect, test as fact } from 'vitest';
import { type TestOptions, test } from '../../src/cli/test.ts';

const folder = mkdtempSync(join(tmpdir(), 'test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const minimal = resolve('policies/minimal.yaml');

const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const tests = (name: string, decision: string, more = ''): string =>
  write(
    name,
    `version: 1
policy: ${minimal}
principals: { alice: {} }
${more}
requests: [{ name: one, as: alice, send: GET /, expect: { decision: ${decision} } }]
`,
  );

const run = async (paths: readonly string[], more: Partial<TestOptions> = {}) => {
  const out: string[] = [];
  const err: string[] = [];
  const output = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const code = await test({ paths, update: false, coverage: false, ...more }, output);
  // A path is told as it is seen from here when that is shorter: it depends on where the tests run.
  const shown = (lines: readonly string[]) =>
    lines
      .join('\n')
      .replaceAll(`${relative('.', folder)}/`, '')
      .replaceAll(`${folder}/`, '');
  return { code, out: shown(out), err: shown(err) };
};

describe('test ends with', () => {
  fact('0 when all tests pass', async () => {
    expect(await run([tests('good.test.yaml', 'allowed')])).toEqual({
      code: 0,
      out: 'good.test.yaml: 1 passed, 0 failed',
      err: '',
    });
  });

  fact('1 when one fails, and tells which and how; the others are run all the same', async () => {
    const { code, out } = await run([tests('bad.test.yaml', 'route-denied'), tests('good.test.yaml', 'allowed')]);
    expect(code).toBe(1);
    expect(out.split('\n')).toEqual([
      'FAILED bad.test.yaml:5:12: one',
      '    decision: expected "route-denied", found "allowed"',
      'bad.test.yaml: 0 passed, 1 failed',
      'good.test.yaml: 1 passed, 0 failed',
    ]);
  });

  fact('3 when a file is wrong, with the faults of all files, and runs none', async () => {
    const wrong = [tests('x.test.yaml', 'alowed'), tests('y.test.yaml', 'allowed', 'owned: { bob: {} }')];
    const { code, out, err } = await run([...wrong, tests('good.test.yaml', 'allowed')]);
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toContain('x.test.yaml:5:69: requests[0].expect.decision is not acceptable, did you mean "allowed"?');
    expect(err).toContain('y.test.yaml:4:10: this name leads nowhere (found bob, expected alice)');
    expect(err).toContain('2 faults');
  });

  fact('3 when a folder has no tests', async () => {
    mkdirSync(join(folder, 'empty'));
    expect(await run([join(folder, 'empty')])).toMatchObject({
      code: 3,
      err: 'empty: there is no *.test.yaml below it\n1 fault',
    });
  });
});

fact('a folder is searched to its depth', async () => {
  mkdirSync(join(folder, 'deep/er'), { recursive: true });
  tests('deep/er/a.test.yaml', 'allowed');
  tests('deep/b.test.yaml', 'allowed');
  write('deep/c.yaml', 'no test');
  const { code, out } = await run([join(folder, 'deep')]);
  expect({ code, out }).toEqual({
    code: 0,
    out: 'deep/b.test.yaml: 1 passed, 0 failed\ndeep/er/a.test.yaml: 1 passed, 0 failed',
  });
});

describe('coverage', () => {
  fact('is told when it is asked for', async () => {
    const { code, out } = await run([tests('asked.test.yaml', 'allowed')], { coverage: true });
    expect(code).toBe(0);
    expect(out).toContain('    covered: routes 1/6, operations 0/');
    expect(out).toMatch(/not covered, routes: policies\/minimal\.yaml:\d+: canvas\.list: passes/);
    expect(out).toContain('    not covered, reasons: role-missing');
  });

  fact('that is needed and missing is a failure', async () => {
    const { code, out } = await run([tests('needed.test.yaml', 'allowed', 'coverage: all')]);
    expect(code).toBe(1);
    expect(out).toContain('1 passed, 0 failed\n    covered: routes 1/6');
  });
});

describe('a golden file', () => {
  fact('is written only when that is asked for, and then compared', async () => {
    const file = tests('golden.test.yaml', 'allowed', 'golden: true');
    const golden = join(folder, 'golden.test.golden.txt');
    expect(await run([file])).toMatchObject({ code: 1, out: expect.stringContaining('there is no golden file') });
    expect(existsSync(golden)).toBe(false);
    expect(await run([file], { update: true })).toMatchObject({
      code: 0,
      out: expect.stringContaining('txt: written'),
    });
    expect((await run([file])).code).toBe(0);
    writeFileSync(golden, readFileSync(golden, 'utf8').replace('"page"', '"pages"'));
    const { code, out } = await run([file]);
    expect(code).toBe(1);
    expect(out).toMatch(/golden: - then, \+ now\n[\s\S]*- {3}"route": "pages",\n\s+\+ {3}"route": "page",/);
  });

  fact('is not written where the file does not ask for one', async () => {
    await run([tests('plain.test.yaml', 'allowed')], { update: true });
    expect(existsSync(join(folder, 'plain.test.golden.txt'))).toBe(false);
  });
});
