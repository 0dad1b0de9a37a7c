import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readSettings, writeFaults } from '../../src/cli/settings.ts';

function lines() {
  const out: string[] = [];
  const err: string[] = [];
  return { out, err, output: { out: (line: string) => out.push(line), err: (line: string) => err.push(line) } };
}

test('the sample gives a config and a policy', () => {
  const settings = readSettings({ file: 'gateway.yaml', variables: {} });
  expect(settings).toMatchObject({ config: { listen: { port: 8080 } }, policy: { name: 'jaaz' } });
});

test('a policy that keeps more for who returns than may wait for a client is a fault of the two together', () => {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'));
  const write = (waiting: string): string => {
    const file = join(folder, 'gateway.yaml');
    const text = readFileSync('gateway.yaml', 'utf8');
    writeFileSync(
      file,
      `${text.replace('policies/jaaz.yaml', resolve('policies/jaaz.yaml'))}\nsockets: { waiting: ${waiting} }\n`,
    );
    return file;
  };
  expect(readSettings({ file: write('4MiB'), variables: {} })).toMatchObject({
    faults: [{ message: expect.stringContaining('sockets.waiting'), found: '4194304 bytes' }],
  });
  expect(readSettings({ file: write('8MiB'), variables: {} })).toMatchObject({ policy: { name: 'jaaz' } });
  rmSync(folder, { recursive: true });
});

describe('a policy at a path at which the gateway itself answers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'settings-own-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const policy = join(folder, 'p.yaml');
  const write = (route: string, more = ''): void =>
    writeFileSync(policy, `version: 1\nname: p\nroutes: [{ id: r, match: '${route}' }]\n${more}`);
  const issuer = (more: string): string => `issuers: [{ name: corp, issuer: https://id.example, ${more} }]`;
  const keys = issuer('audience: a, keys: { url: https://id.example/keys }');
  const login = issuer('login: { client-id: c }');
  const read = (issuers: string, upstream = '{ url: http://127.0.0.1:1 }') => {
    const file = join(folder, 'gateway.yaml');
    writeFileSync(file, `upstream: ${upstream}\npolicies: [p.yaml]\nledger: { sqlite: x.db }\n${issuers}\n`);
    return readSettings({ file, variables: {} });
  };
  const taken = (found: string, expected: string) => ({
    faults: [{ message: expect.stringContaining('the gateway itself answers'), found, expected }],
  });

  test.each([
    ['GET /auth/login', '/auth/login'],
    ['POST /auth/other', '/auth/other'],
    ['GET /auth/*', '/auth/*'],
    ['GET /auth/{name}', '/auth/{name}'],
  ])('is a fault below /auth/ where people can log in: %s', (route, found) => {
    write(route);
    expect(read(login)).toMatchObject(taken(found, 'a path that is not below /auth/'));
    expect(read(keys)).toHaveProperty('policy');
  });

  test.each(['GET /auth', 'GET /authors/x', 'GET /*', 'GET /{name}/login'])('is none elsewhere: %s', (route) => {
    write(route);
    expect(read(login)).toHaveProperty('policy');
  });

  test('is a fault for a socket too', () => {
    const deliver = 'deliver: { update: { owner: { doc: id }, type: type, types: { a: {} } } }';
    const socket = `{ path: /auth/ws/, protocol: socket.io, token: [auth], ${deliver} }`;
    write('GET /x', `resources: { doc: { id: '[a-z]{1,9}' } }\nsockets: [${socket}]\n`);
    expect(read(login)).toMatchObject(taken('/auth/ws/', 'a path that is not below /auth/'));
  });

  test('is a fault where keys or metadata are published, and none where they are not', () => {
    write('GET /.well-known/oauth-protected-resource');
    expect(read(keys)).toMatchObject({ faults: [{ found: '/.well-known/oauth-protected-resource' }] });
    expect(read(login)).toHaveProperty('policy');
    write('GET /.well-known/jaaz-gateway/jwks.json');
    expect(read(keys)).toHaveProperty('policy');
    const signing = read(keys, '{ url: http://127.0.0.1:1, assertion: { audience: a } }');
    expect(signing).toMatchObject({ faults: [{ expected: 'a path that is not /.well-known/jaaz-gateway/jwks.json' }] });
  });

  test('does not go live later either', () => {
    write('GET /x');
    const settings = read(login);
    if ('faults' in settings) throw new Error('it is good');
    write('GET /auth/me');
    expect(settings.live.reload()).toMatchObject({ outcome: 'refused', failure: taken('/auth/me', expect.anything()) });
    expect(settings.policy.match('GET', '/x')).toBeDefined();
  });
});

test('files below here are told as they are seen from here', () => {
  const { err, output } = lines();
  const fault = { file: `${process.cwd()}/policies/x.yaml`, line: 1, column: 2, message: 'wrong' };
  writeFaults([fault, { ...fault, file: '/x.yaml' }, { ...fault, file: 'VARIABLE', line: 0 }], { json: false }, output);
  expect(err).toEqual(['policies/x.yaml:1:2: wrong', '/x.yaml:1:2: wrong', 'VARIABLE: wrong', '3 faults']);
});

test('JSON is one object on the output proper', () => {
  const { out, err, output } = lines();
  const fault = { file: 'x.yaml', line: 1, column: 2, message: 'wrong' };
  writeFaults([fault], { json: true }, output);
  expect({ out, err }).toEqual({ out: [JSON.stringify({ valid: false, faults: [fault] })], err: [] });
});
