import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { coverage } from '../../../src/cli/policy-tests/coverage.ts';
import { type LoadedTests, loadTests } from '../../../src/cli/policy-tests/load.ts';
import { runTests } from '../../../src/cli/policy-tests/run.ts';
import { formatFault } from '../../../src/policy/fault.ts';

const folder = mkdtempSync(join(tmpdir(), 'run-tests-'));
afterAll(() => rmSync(folder, { recursive: true }));

const HEAD = `version: 1
policy: ${resolve('policies/jaaz.yaml')}
principals: { alice: {}, bob: {}, root: { roles: [admin] } }
owned: { alice: { canvas: [a], session: [s] }, bob: { session: [b] } }
`;

const load = (text: string): LoadedTests => {
  const file = join(folder, 'x.test.yaml');
  writeFileSync(file, HEAD + text);
  const loaded = loadTests(file);
  if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'));
  return loaded;
};

const run = async (text: string) => {
  const tests = load(text);
  const cover = coverage(tests);
  const results = await runTests({ ...tests, policy: cover.policy }, cover.witness);
  return { results, shares: cover.shares() };
};

const failuresOf = async (text: string) => (await run(text)).results.map(({ failures }) => failures);

describe('the tests of a file', () => {
  test('fail where something is not as it was expected, at their place', async () => {
    const { results } = await run(`requests:
  - { name: one, as: alice, send: GET /api/canvas/a, expect: { decision: allowed } }
  - { name: two, as: bob, send: GET /api/canvas/a, expect: { decision: allowed } }
`);
    expect(results).toMatchObject([
      { name: 'one', failures: [] },
      { name: 'two', line: 7, column: 5, failures: ['decision: expected "allowed", found "resource-hidden"'] },
    ]);
  });

  test('begin anew: what one creates, the next one does not know', async () => {
    const create =
      'as: alice, send: POST /api/canvas/create, body: { canvas_id: n, session_id: t }, expect: { decision: allowed }';
    expect(await failuresOf(`requests: [{ name: one, ${create} }, { name: two, ${create} }]\n`)).toEqual([[], []]);
  });

  test('send a request as often as they say, and judge the last one', async () => {
    const create = 'as: alice, send: POST /api/canvas/create, body: { canvas_id: n, session_id: t }, repeat: 2';
    expect(await failuresOf(`requests: [{ name: one, ${create}, expect: { decision: resource-taken } }]\n`)).toEqual([
      [],
    ]);
  });

  test('answer calls that wait, each test anew', async () => {
    const pending = "pending: { 'session:s': [c] }\n";
    const answer =
      'as: alice, send: POST /api/tool_confirmation, body: { session_id: s, tool_call_id: c, confirmed: true }';
    const tests = ['allowed', 'allowed', 'call-not-pending'].map(
      (decision, index) =>
        `  - { name: t${index}, ${answer}, repeat: ${index === 2 ? 2 : 1}, expect: { decision: ${decision} } }\n`,
    );
    expect(await failuresOf(`${pending}requests:\n${tests.join('')}`)).toEqual([[], [], []]);
    expect(await failuresOf(`requests:\n${tests[0]}`)).toEqual([
      ['decision: expected "allowed", found "call-not-pending"'],
    ]);
  });

  test('hear events', async () => {
    const failures = await failuresOf(`events:
  - { name: one, event: session_update, payload: { session_id: s, type: delta }, expect: { heard: [alice] } }
  - { name: two, event: session_update, payload: { session_id: b, type: delta }, expect: { heard: [alice] } }
`);
    expect(failures[0]).toEqual([]);
    expect(failures[1]?.join('\n')).toContain('users|bob');
  });

  test('are a test for each cell of a matrix', async () => {
    const { results } = await run(`matrix:
  - name: m
    as: [alice, root, nobody]
    rows:
      - { send: GET /api/config, expect: [role-missing, allowed, token-missing] }
      - { send: GET /docs, expect: allowed }
`);
    expect(results.map(({ name, failures }) => [name, failures.length])).toEqual([
      ['m: GET /api/config as alice', 0],
      ['m: GET /api/config as root', 0],
      ['m: GET /api/config as nobody', 0],
      ['m: GET /docs as alice', 1],
      ['m: GET /docs as root', 1],
      ['m: GET /docs as nobody', 1],
    ]);
  });

  test('tell what shadow mode would have done', async () => {
    const shadow = readFileSync('policies/jaaz.yaml', 'utf8').replace('mode: enforce', 'mode: shadow');
    writeFileSync(join(folder, 'shadow.yaml'), shadow);
    const expected = '{ decision: allowed, forwarded: { target: GET /api/canvas/a }, would: [deny resource-hidden] }';
    const text = HEAD.replace(/policy: .*/, 'policy: shadow.yaml');
    const file = join(folder, 'shadow.test.yaml');
    writeFileSync(file, `${text}requests: [{ name: one, as: bob, send: GET /api/canvas/a, expect: ${expected} }]\n`);
    const loaded = loadTests(file);
    if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'));
    const [result] = await runTests(loaded, coverage(loaded).witness);
    expect(result?.failures).toEqual([]);
  });

  test('tell what they saw of the policy', async () => {
    const { shares } = await run(`requests:
  - { name: one, as: bob, send: GET /api/canvas/a, expect: {} }
  - { name: two, as: alice, send: GET /api/canvas/a, expect: {} }
events:
  - { name: three, event: session_update, payload: { session_id: s, type: done }, expect: {} }
`);
    const missing = (what: string) => shares.find((share) => share.what === what)?.missing.join('\n') ?? '';
    expect(missing('routes')).not.toContain('canvas.read: ');
    expect(missing('routes')).toMatch(/^policies\/jaaz\.yaml:\d+: canvas\.list: passes$/m);
    expect(missing('operations')).not.toContain('canvas.read: {canvas}');
    expect(missing('operations')).toContain('canvas.read: access: user');
    expect(missing('events')).not.toContain('done');
    expect(missing('events')).toContain('session_update: image_generated learn');
    expect(missing('reasons').split('\n')).not.toContain('resource-hidden');
    expect(missing('reasons').split('\n')).toContain('token-missing');
  });
});
