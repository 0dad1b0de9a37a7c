import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type ExplainOptions, explain } from '../../src/cli/explain.ts';
import { openSqliteLedger } from '../../src/store/sqlite/ownership-ledger.ts';

const folder = mkdtempSync(join(tmpdir(), 'explain-'));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const gateway = (name: string, policy = resolve('policies/jaaz.yaml'), more = '') =>
  write(
    `${name}.yaml`,
    `upstream: { url: http://127.0.0.1:1 }
policies: [${policy}]
ledger: { sqlite: ${name}.db }
issuers:
  - { name: corp, issuer: https://corp.example, audience: a, keys: { url: https://corp.example/keys } }
${more}`,
  );

const plain = gateway('plain');
const canvas = (id: string) => ({ kind: 'canvas', id });

const run = async (words: string, more: Partial<ExplainOptions> = {}) => {
  const [method = '', target = ''] = words.split(' ');
  const out: string[] = [];
  const err: string[] = [];
  const nothing = {
    role: [],
    header: [],
    own: [],
    other: [],
    unowned: [],
    pending: [],
    catalogue: [],
    live: false,
    json: false,
  };
  const options = { ...nothing, file: plain, method, target, variables: {}, ...more };
  const code = await explain(options, { out: (line) => out.push(line), err: (line) => err.push(line) });
  return { code, out: out.join('\n'), err: err.join('\n') };
};

const told = async (words: string, more: Partial<ExplainOptions> = {}) =>
  JSON.parse((await run(words, { ...more, json: true })).out);

describe('explain', () => {
  test('shows where a request is refused and why, and ends with 0 all the same', async () => {
    const { code, out, err } = await run('GET /api/canvas/b', { as: 'alice', other: [canvas('b')] });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('GET /api/canvas/b as corp|alice');
    expect(out).toMatch(/match {9}passed {3}canvas\.read: GET \/api\/canvas\/\{canvas\} \(policies\/jaaz\.yaml:\d+\)/);
    expect(out).toContain('authorize     REFUSED  resource-hidden: canvas:b is another owner’s');
    expect(out).toContain('own canvas b, in the path: another’s (corp|somebody-else)');
    expect(out).toContain('rewrite       -\n');
    expect(out).toMatch(/Refused: resource-hidden\.\nThe caller is shown 200 null$/);
  });

  test('shows what would be forwarded, and sends nothing', async () => {
    const { out } = await run('GET /api/canvas/a', { as: 'alice', own: [canvas('a')] });
    expect(out).toContain('forward       would be GET /api/canvas/a');
    expect(out).toContain('x-user-id: corp|alice');
    expect(out).toContain('Allowed.');
  });

  test('says it as JSON', async () => {
    const found = await told('DELETE /api/canvas/a/delete', { as: 'corp|alice', role: ['x'], own: [canvas('a')] });
    expect(found).toMatchObject({
      request: { method: 'DELETE', target: '/api/canvas/a/delete', as: 'corp|alice' },
      verdict: 'allowed',
      reason: null,
      mode: 'enforce',
      route: { id: 'canvas.delete', file: resolve('policies/jaaz.yaml') },
      caller: { owner: 'corp|alice', roles: ['x'] },
      resources: [{ verb: 'release', kind: 'canvas', id: 'a', at: 'the path', whose: 'yours', owner: 'corp|alice' }],
      releases: ['canvas:a'],
      forwarded: { method: 'DELETE', target: '/api/canvas/a/delete', body: null },
      shown: null,
    });
  });

  test('names the nearest routes where none matches', async () => {
    const found = await told('GET /api/canva/list');
    expect(found).toMatchObject({ verdict: 'refused', reason: 'route-unknown', route: null });
    expect(found.nearest[0]).toMatchObject({ id: 'canvas.list' });
  });

  test('reads a body, rewrites it, and tells what the server was not asked', async () => {
    const body = write(
      'b.json',
      JSON.stringify({ canvas_id: 'n', session_id: 's', text_model: { provider: 'p', model: 'm' } }),
    );
    const models = write('m.json', JSON.stringify([{ provider: 'p', model: 'm', url: 'https://real.example' }]));
    const found = await told('POST /api/canvas/create', { as: 'alice', body, catalogue: [['models', models]] });
    expect(found).toMatchObject({
      verdict: 'allowed',
      claims: ['canvas:n', 'session:s'],
      unasked: ['GET /api/canvas/n', 'GET /api/chat_session/s'],
    });
    expect(JSON.parse(found.forwarded.body)).toMatchObject({
      text_model: { url: 'https://real.example' },
      user_id: 'corp|alice',
    });
  });

  test('knows what the server has without an owner', async () => {
    const body = write('q.json', JSON.stringify({ canvas_id: 'old', session_id: 's' }));
    const found = await told('POST /api/canvas/create', { as: 'alice', body, unowned: [canvas('old')] });
    expect(found).toMatchObject({ reason: 'resource-quarantined', resources: [{ id: 'old', whose: 'nobody’s' }, {}] });
  });

  test('takes a header, also instead of the type of the body', async () => {
    const body = write('h.json', '{}');
    const header = [['Content-Type', 'text/plain']] as const;
    expect(await told('POST /api/canvas/create', { as: 'alice', body, header })).toMatchObject({ reason: 'body-type' });
  });

  test('answers a call that waits for the caller, and says that nobody else can know which do', async () => {
    const session = { kind: 'session', id: 's' };
    const body = write('call.json', JSON.stringify({ session_id: 's', tool_call_id: 'c=1', confirmed: true }));
    const asked = { as: 'alice', body, own: [session] };
    const waiting = await run('POST /api/tool_confirmation', { ...asked, pending: [[session, 'c=1']] });
    expect(waiting.out).toContain('answer call c=1, in the body’s tool_call_id: it waits');
    expect(waiting.out).toMatch(/Allowed\.$/);
    const { out } = await run('POST /api/tool_confirmation', asked);
    expect(out).toContain('call-not-pending: session:s: no such call waits there for the caller');
    expect(out).toContain('Refused: call-not-pending.\nWhich calls wait is known from live events alone');
  });

  test('announces a call to whoever owns the session', async () => {
    const session = { kind: 'session', id: 's' };
    const body = write('other.json', JSON.stringify({ session_id: 's', tool_call_id: 'c', confirmed: true }));
    const found = await told('POST /api/tool_confirmation', {
      as: 'alice',
      body,
      other: [session],
      pending: [[session, 'c']],
    });
    expect(found).toMatchObject({ reason: 'resource-hidden', confirms: { call: 'c', waits: false } });
  });

  test('tells of shadow mode what it would have done', async () => {
    const policy = write(
      'shadow-policy.yaml',
      readFileSync('policies/jaaz.yaml', 'utf8').replace('mode: enforce', 'mode: shadow'),
    );
    const { out } = await run('GET /api/canvas/list', { file: gateway('shadow', policy) });
    expect(out).toContain('Allowed.\nThe policy is not in effect here: mode shadow.\nIt would deny token-missing: ');
    expect(out).toContain('with the policy in effect: at [*] only those whose id is a canvas of the caller’s are kept');
  });
});

describe('where people can log in', () => {
  const file = write(
    'people.yaml',
    readFileSync(plain, 'utf8')
      .replace(/keys: .*/, 'login: { client-id: c } }')
      .replace('audience: a, ', ''),
  );

  test('a page that nobody opens leads to the login', async () => {
    const found = await told('GET /', { file });
    expect(found).toMatchObject({ reason: 'login-needed', route: { access: 'page' } });
    expect(found.shown).toMatchObject({ status: 303, headers: { location: '/auth/login?return=%2F' } });
    expect(await told('GET /', { file, as: 'alice' })).toMatchObject({ verdict: 'allowed' });
    expect(await told('GET /')).toMatchObject({ verdict: 'allowed', caller: null });
  });

  test('a script that asks for the page does not', async () => {
    const header = [['Accept', '*/*']] as const;
    expect(await told('GET /', { file, header })).toMatchObject({ reason: 'token-missing' });
    expect(await told('GET /api/canvas/list', { file })).toMatchObject({ reason: 'token-missing' });
  });

  test('what is the gateway’s own is no policy’s affair', async () => {
    const { code, err } = await run('GET /auth/login?return=/', { file });
    expect({ code, err }).toEqual({
      code: 2,
      err: '/auth/login is the gateway’s own: no policy is asked what becomes of it.',
    });
    expect(await told('GET /auth/login')).toMatchObject({ reason: 'route-unknown' });
  });
});

describe('explain --live', () => {
  test('reads the configured ledger, and changes nothing in it', async () => {
    const file = gateway('live');
    const ledger = openSqliteLedger({ path: join(folder, 'live.db') });
    await ledger.learn({ ref: canvas('a'), parent: undefined, origin: 'admin' }, 'corp|bob');
    const found = await told('GET /api/canvas/a', { file, live: true, as: 'alice' });
    expect(found).toMatchObject({ reason: 'resource-hidden', resources: [{ whose: 'another’s', owner: 'corp|bob' }] });
    const body = write('l.json', JSON.stringify({ canvas_id: 'new', session_id: 's' }));
    expect(await told('POST /api/canvas/create', { file, live: true, as: 'alice', body })).toMatchObject({
      verdict: 'allowed',
      claims: ['canvas:new', 'session:s'],
    });
    expect(await ledger.find([canvas('new'), canvas('a')])).toMatchObject([undefined, { owner: 'corp|bob' }]);
    await ledger.close();
  });

  test('ends with 1 where there is no ledger, and makes none', async () => {
    const file = gateway('nowhere');
    const { code, err } = await run('GET /', { file, live: true });
    expect(code).toBe(1);
    expect(err).toContain('nowhere.db cannot be read');
    expect(existsSync(join(folder, 'nowhere.db'))).toBe(false);
  });
});

describe('explain ends with', () => {
  test.each<[string, Partial<ExplainOptions>]>([
    ['--role needs --as', { role: ['admin'] }],
    ['there is no issuer other; expected corp', { as: 'other|alice' }],
    [
      'The policy has no resource canvs; expected canvas or session or file',
      { as: 'a', own: [{ kind: 'canvs', id: 'a' }] },
    ],
    ['The policy has no resource canvs', { as: 'a', other: [{ kind: 'canvs', id: 'a' }] }],
    ['the policy has no probe for it', { unowned: [{ kind: 'file', id: 'im_12345678.png' }] }],
    ['the policy has no such catalogue', { catalogue: [['modls', 'x']] }],
    ['The policy has no resource canvs', { pending: [[{ kind: 'canvs', id: 'a' }, 'c']] }],
    ['--pending session:s: nobody owns it', { pending: [[{ kind: 'session', id: 's' }, 'c']] }],
    [
      '--pending session:s: the id of a call is too long',
      { as: 'a', own: [{ kind: 'session', id: 's' }], pending: [[{ kind: 'session', id: 's' }, 'x'.repeat(257)]] },
    ],
    ['missing.json cannot be read', { body: 'missing.json' }],
    ['give one of both', { live: true, as: 'a', own: [{ kind: 'canvas', id: 'a' }] }],
    ['--own needs --as', { own: [{ kind: 'canvas', id: 'a' }] }],
  ])('2 where an option does not fit: %s', async (message, more) => {
    const { code, err, out } = await run('GET /api/canvas/a', more);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });

  test('2 where several issuers could be meant', async () => {
    const other = '  - { name: b, issuer: https://b.example, audience: a, keys: { url: https://b.example/keys } }\n';
    const file = gateway('two', undefined, other);
    expect(await run('GET /', { file, as: 'alice' })).toMatchObject({
      code: 2,
      err: expect.stringContaining('ISSUER|USER'),
    });
    expect((await run('GET /', { file, as: 'b|alice' })).code).toBe(0);
  });

  test('3 where a file is wrong', async () => {
    const { code, err } = await run('GET /', {
      file: gateway('wrong', write('p.yaml', 'version: 1\nname: p\nroutes: 7\n')),
    });
    expect(code).toBe(3);
    expect(err).toContain('p.yaml:3:9');
  });
});
