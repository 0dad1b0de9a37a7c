import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type StandIn, startStandIn } from '../../demo/jaaz/server.ts';
import { type CheckOptions, check } from '../../src/cli/check.ts';

const folder = mkdtempSync(join(tmpdir(), 'check-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(file: string, options: Partial<CheckOptions> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const output = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  return { code: await check({ file, json: false, variables: {}, ...options }, output), out, err };
}

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** A gateway in front of the smallest policy, or of the policy of a text. */
function minimal(policy?: string): string {
  const file = policy === undefined ? join(process.cwd(), 'policies/minimal.yaml') : write('policy.yaml', policy);
  const issuers = 'issuers: [{ name: a, issuer: a, audience: a, keys: { url: https://a } }]';
  return write('minimal.yaml', `upstream: { url: http://x }\n${issuers}\npolicies: [${JSON.stringify(file)}]\n`);
}

describe('check', () => {
  test('says that what it looked at is fine, and what is in it', async () => {
    const { code, out, err } = await run(minimal());
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out).toEqual([expect.stringMatching(/minimal.yaml: fine \(1 issuer, 6 routes, 1 resource, 0 sockets\)$/)]);
  });

  test('says so of the sample', async () => {
    const { code, out } = await run('gateway.yaml');
    expect(code).toBe(0);
    expect(out).toEqual([
      expect.stringMatching(/^gateway.yaml: fine \(1 issuer, \d\d routes, 3 resources, 1 socket\)/),
    ]);
  });

  test('says it as JSON', async () => {
    const { code, out } = await run('gateway.yaml', { json: true });
    expect(code).toBe(0);
    expect(JSON.parse(out.join())).toMatchObject({ valid: true, issuers: 1, resources: 3, sockets: 1 });
  });

  test('tells the faults of the configuration and of its policies together', async () => {
    write('p.yaml', 'version: 1\nname: p\nbogus: 1\n');
    const file = write('bad.yaml', 'upstream: { url: http://x }\nissuers: []\npolicies: [p.yaml]\nlegder: {}\n');
    const { code, out, err } = await run(file);
    expect({ code, out }).toEqual({ code: 3, out: [] });
    expect(err.join('\n')).toContain('bad.yaml:2:10: issuers is too small');
    expect(err.join('\n')).toContain('bad.yaml:4:1: unknown key "legder", did you mean "ledger"?');
    expect(err.join('\n')).toContain('p.yaml:3:1: unknown key "bogus"');
    expect(err.at(-1)).toBe(`${err.length - 1} faults`);
  });

  test('tells them as JSON, with the place of each', async () => {
    const { code, out, err } = await run(join(folder, 'missing.yaml'), { json: true });
    expect({ code, err }).toEqual({ code: 3, err: [] });
    expect(JSON.parse(out.join())).toEqual({
      valid: false,
      faults: [{ file: join(folder, 'missing.yaml'), line: 1, column: 1, message: 'the file cannot be read: ENOENT' }],
    });
  });

  test('creates nothing', async () => {
    const file = write(
      'fine.yaml',
      [
        'upstream: { url: http://x }',
        'issuers: [{ name: a, issuer: a, audience: a, keys: { url: https://a } }]',
        `policies: [${JSON.stringify(join(process.cwd(), 'policies/jaaz.yaml'))}]`,
      ].join('\n'),
    );
    const before = readdirSync(folder);
    expect((await run(file)).code).toBe(0);
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe('what is valid, but likely a mistake', () => {
  const open = 'version: 1\nname: p\nroutes:\n  - { id: list, match: GET /list }\n';

  test('is a warning with its place, why it matters and what to do', async () => {
    const { code, out, err } = await run(minimal(open));
    expect(code).toBe(0);
    expect(err.join('\n')).toMatch(
      /policy\.yaml:4:5: warning: every user gets this answer as the server gives it \(found list\)\n {4}rows of other users.*; filter: /,
    );
    expect(out).toEqual([expect.stringMatching(/: valid \(.*\), 1 warning$/)]);
  });

  test('is a failure where it is to be one', async () => {
    expect((await run(minimal(open), { strict: true })).code).toBe(3);
    expect((await run(minimal(), { strict: true })).code).toBe(0);
  });

  test('is told as JSON', async () => {
    const { code, out, err } = await run(minimal(open), { json: true, strict: true });
    expect({ code, err }).toEqual({ code: 3, err: [] });
    expect(JSON.parse(out.join())).toMatchObject({
      valid: true,
      warnings: [
        {
          code: 'list-unfiltered',
          file: join(folder, 'policy.yaml'),
          line: 4,
          column: 5,
          found: 'list',
          why: expect.any(String),
          advice: expect.any(String),
        },
      ],
    });
  });
});

describe('the upstream’s own route list', () => {
  let upstream: StandIn;
  beforeAll(async () => {
    upstream = await startStandIn({ dataDir: join(folder, 'jaaz') });
  });
  afterAll(() => upstream.close());

  const jaaz = (replace: (text: string) => string = (text) => text): string =>
    minimal(replace(readFileSync('policies/jaaz.yaml', 'utf8')));

  test('is the one that the policy for Jaaz was made for', async () => {
    const { code, out } = await run(jaaz(), { openapi: `${upstream.url}/openapi.json` });
    expect(code).toBe(0);
    expect(out.join()).toContain('0 differences from the upstream’s routes');
  });

  test('shows what is new, gone and changed', async () => {
    const file = jaaz((text) =>
      text
        .replace(/.*POST \/api\/read_file.*\n/, '')
        .replace('GET /api/settings/exists', 'GET /api/settings/there')
        .replace('multipart: 10MiB, file: file', 'multipart: 10MiB, file: image')
        .replace('match: GET /api/config/exists', 'match: GET /api/config/exists, query: [deep]'),
    );
    const { code, err, out } = await run(file, { openapi: `${upstream.url}/openapi.json`, strict: true });
    expect(code).toBe(3);
    const told = err
      .filter((line) => /(?:unmapped|vanished|changed): /.test(line))
      .map((line) => line.replace(/^.*yaml/, ''));
    expect(told).toEqual([
      'unmapped: GET /api/settings/exists: no route of the policy lists it, so it is refused: list it, if need be as denied',
      'unmapped: POST /api/read_file: no route of the policy lists it, so it is refused: list it, if need be as denied',
      expect.stringMatching(/^:\d+:\d+: changed: POST \/api\/upload_image \(file.upload\): .* reads no image /),
      expect.stringMatching(/^:\d+:\d+: changed: GET \/api\/config\/exists \(config.exists\): .* parameter deep/),
      expect.stringMatching(/^:\d+:\d+: vanished: GET \/api\/settings\/there \(settings.exists\): /),
    ]);
    expect(out.join()).toContain('5 differences');
  });

  test('is read from a file as well, and told as JSON', async () => {
    const list = write('openapi.json', JSON.stringify({ openapi: '3.1.0', paths: { '/new': { get: {} } } }));
    const { code, out } = await run(minimal(), { openapi: list, json: true });
    expect(code).toBe(0);
    const { differences } = JSON.parse(out.join());
    const lines = readFileSync('policies/minimal.yaml', 'utf8').split('\n');
    const line = lines.findIndex((text) => text.includes('match: GET /api/canvas/list')) + 1;
    expect(differences).toContainEqual(expect.objectContaining({ kind: 'unmapped', operation: 'GET /new' }));
    expect(differences).toContainEqual(
      expect.objectContaining({ kind: 'vanished', route: 'canvas.list', place: expect.objectContaining({ line }) }),
    );
  });

  test.each([
    ['that is not there', 'missing.json', 'the file cannot be read: ENOENT'],
    ['of another kind', 'swagger.json', 'it is not an OpenAPI 3 document'],
  ])('%s is a failure, and no verdict on the files', async (_what, name, problem) => {
    write('swagger.json', '{"swagger":"2.0"}');
    const openapi = join(folder, name);
    const { code, out, err } = await run(minimal(), { openapi });
    expect({ code, out }).toEqual({ code: 1, out: [] });
    expect(err).toEqual([expect.stringContaining(`${openapi}: the route list cannot be used: ${problem}`)]);
    const asJson = await run(minimal(), { openapi, json: true });
    expect(asJson.code).toBe(1);
    expect(JSON.parse(asJson.out.join())).toMatchObject({ valid: true, problem: expect.stringContaining(problem) });
  });
});
