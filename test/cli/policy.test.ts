import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEEDS, policy } from '../../src/cli/policy.ts';
import type { PolicyStatus } from '../../src/policy/status.ts';

const folder = mkdtempSync(join(tmpdir(), 'policy-command-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'gateway.yaml');
const tokenFile = join(folder, 'admin.token');
writeFileSync(
  file,
  'issuers: [{ name: a, issuer: urn:a, audience: j, keys: { secret: env } }]\npolicies: [gone.yaml]\nledger: { sqlite: l.db }\n',
);

const live: PolicyStatus = {
  name: 'jaaz',
  mode: 'enforce',
  enforced: true,
  generation: 3,
  sha256: 'abc',
  loadedAt: '2026-01-01T00:00:00.000Z',
  routes: 61,
  files: [{ file: '/etc/p.yaml', sha256: 'def' }],
  previous: { generation: 2, sha256: 'ghi', loadedAt: '2025-01-01T00:00:00.000Z' },
  rolledBackFrom: null,
  lastFailure: null,
};
const faults = [{ file: '/etc/p.yaml', line: 3, column: 7, message: 'wrong', found: 'x', expected: 'y' }];
const lastFailure = { at: '2026-02-01T00:00:00.000Z', sha256: 'bad', faults };

let server: Server;
let asked: IncomingMessage[];
let answer: { status: number; body: string };
beforeEach(async () => {
  asked = [];
  answer = { status: 200, body: JSON.stringify(live) };
  server = createServer((request, response) => {
    asked.push(request);
    response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  writeFileSync(tokenFile, 'the-token\n');
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const run = async (deed: keyof typeof DEEDS, options: { json?: boolean; file?: string } = {}) => {
  const out: string[] = [];
  const err: string[] = [];
  const flags = { adminPort: (server.address() as AddressInfo).port };
  const output = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const code = await policy(DEEDS[deed], { file, flags, json: false, variables: {}, ...options }, output);
  return { code, out: out.join('\n'), err: err.join('\n') };
};
const answers = (status: number, outcome: string, more: Partial<PolicyStatus> = {}): void => {
  answer = { status, body: JSON.stringify({ outcome, policy: { ...live, ...more } }) };
};

describe('status', () => {
  test('is asked without a token, and told in lines', async () => {
    rmSync(tokenFile);
    const { code, out, err } = await run('status');
    expect([code, err]).toEqual([0, '']);
    expect(out.split('\n')).toEqual([
      'policy      jaaz, 61 routes',
      'mode        enforce',
      'generation  3, loaded 2026-01-01T00:00:00.000Z',
      'sha256      abc',
      'file        /etc/p.yaml',
      'previous    2, loaded 2025-01-01T00:00:00.000Z',
    ]);
    expect(asked.map(({ method, url, headers }) => [method, url, headers.authorization])).toEqual([
      ['GET', '/policy', undefined],
    ]);
  });

  test('tells what was rolled back, and why the files are refused', async () => {
    const more = { enforced: false, rolledBackFrom: { generation: 4, sha256: 'x' }, lastFailure };
    answer = { status: 200, body: JSON.stringify({ ...live, ...more }) };
    const { code, out, err } = await run('status');
    expect(code).toBe(0);
    expect(out).toContain('mode        enforce, not everywhere');
    expect(out).toContain('given up    4: its files are passed over until they change');
    expect(err).toBe('/etc/p.yaml:3:7: wrong (found x, expected y)');
  });

  test('is one JSON object with --json', async () => {
    expect(JSON.parse((await run('status', { json: true })).out)).toEqual({ outcome: 'status', policy: live });
  });
});

describe('a deed', () => {
  test.each([
    ['reload', 200, 'loaded', 0, 'The policy was loaded and is live.'],
    ['reload', 200, 'unchanged', 0, 'The files hold what is live already: nothing was changed.'],
    ['rollback', 200, 'rolled-back', 0, 'The policy before is live again.'],
    ['rollback', 409, 'nothing-earlier', 1, 'There is no earlier policy to go back to; what was live goes on.'],
    ['reload', 409, 'refused', 3, 'The files were refused; what was live goes on.'],
  ] as const)('%s that is answered with %i %s ends with %i', async (deed, status, outcome, code, sentence) => {
    answers(status, outcome, outcome === 'refused' ? { lastFailure } : {});
    const result = await run(deed);
    expect(result.code).toBe(code);
    expect((code === 0 ? result.out : result.err).split('\n')[0]).toBe(sentence);
    expect(result.err.includes('/etc/p.yaml:3:7: wrong')).toBe(outcome === 'refused');
    expect(asked.map(({ method, url, headers }) => [method, url, headers.authorization])).toEqual([
      ['POST', `/policy/${deed}`, 'Bearer the-token'],
    ]);
  });
});

describe('ends with 1 and says why', () => {
  test('when there is no token', async () => {
    rmSync(tokenFile);
    expect(await run('reload')).toMatchObject({
      code: 1,
      err: `There is no admin token at ${tokenFile}: no gateway runs with this ledger.`,
    });
    expect(asked).toEqual([]);
  });

  test('when the token is another’s', async () => {
    answer = { status: 401, body: '{}' };
    const { code, err } = await run('rollback');
    expect([code, err]).toEqual([1, expect.stringContaining(`does not accept the token in ${tokenFile}`)]);
  });

  test('when something else answers', async () => {
    answer = { status: 200, body: 'hello' };
    const { code, err } = await run('status');
    expect([code, err]).toEqual([1, expect.stringContaining('(with status 200) is no gateway that can do this.')]);
    answer = { status: 404, body: '{}' };
    expect((await run('status', { json: true })).out).toContain('"outcome":"failed"');
  });
});

test('ends with 3 when the configuration is not valid', async () => {
  expect((await run('status', { file: join(folder, 'none.yaml') })).code).toBe(3);
});
