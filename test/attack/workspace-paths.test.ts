/** The workspace routes open whatever path they are told; through the gateway they reach the caller's own folder alone. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { userFolder } from '../../src/rewrite/scope-path.ts';
import { eventually } from '../support/eventually.ts';
import type { Answer } from '../support/jaaz-client.ts';
import { startWorkspaceWorld, type WorkspaceWorld } from '../support/workspace.ts';

let own: WorkspaceWorld;
/** A file of the host's, and Alice's and Bob's folders. */
let secret: string;
let alices: string;
let bobs: string;

beforeAll(async () => {
  own = await startWorkspaceWorld();
  secret = join(own.directory, 'secret.txt');
  alices = join(own.root, userFolder('test|alice'));
  bobs = join(own.root, userFolder('test|bob'));
  await own.alice.post('/api/create_file', { rel_dir: '' });
  await own.bob.post('/api/create_file', { rel_dir: '' });
});
beforeEach(() => {
  writeFileSync(secret, 'TOP SECRET');
  writeFileSync(join(alices, 'Untitled.md'), 'ALICE');
});
afterAll(() => own.close());

const snapshot = (): string[] =>
  readdirSync(own.directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/ownership|audit|gateway\.|localmanus/.test(name))
    .sort();
const arrived = (mark: number): string[] => own.upstream.requests.slice(mark).map(({ path }) => path);
const reasonOf = async (answer: Answer | undefined): Promise<unknown> => {
  const id = answer?.headers.get('x-request-id');
  const record = () => own.world.audit().find(({ requestId }) => requestId === id);
  await eventually(() => record() !== undefined);
  return record()?.reason;
};
const query = (path: string): string => `/api/list_files_in_dir?rel_path=${encodeURIComponent(path)}`;

describe('on the bare server', () => {
  test('an absolute path, and one that climbs, is read, written, listed and deleted', async () => {
    const { direct, root } = own;
    for (const path of [secret, relative(root, secret)]) {
      expect((await direct.post('/api/read_file', { path })).text).toContain('TOP SECRET');
      expect((await direct.post('/api/update_file', { path, content: 'TOP SECRET, changed' })).text).toContain('true');
    }
    expect(readFileSync(secret, 'utf8')).toBe('TOP SECRET, changed');
    expect((await direct.get(query('../..'))).text).toContain('secret.txt');
    expect((await direct.get(query(''))).text).toContain(userFolder('test|alice'));
    await direct.post('/api/delete_file', { path: secret });
    expect(existsSync(secret)).toBe(false);
  });

  test('everybody’s files are everybody’s', async () => {
    const path = `${userFolder('test|alice')}/Untitled.md`;
    expect((await own.direct.post('/api/read_file', { path })).text).toBe('{"content":"ALICE"}');
  });

  test.each(['../moved.txt', '/'])('a rename to %s moves a file out', async (to) => {
    const path = join(own.root, 'moving.txt');
    const target = to === '/' ? join(own.directory, 'moved.txt') : '../moved.txt';
    mkdirSync(own.root, { recursive: true });
    writeFileSync(path, 'x');
    const answer = await own.direct.post('/api/rename_file', { old_path: 'moving.txt', new_title: target });
    expect(answer.text).toContain('"success":true');
    expect(existsSync(path)).toBe(false);
  });

  test('the answers tell where on the host everything is', async () => {
    const answer = await own.direct.post('/api/rename_file', { old_path: 'none', new_title: 'x' });
    expect(answer.text).toContain(own.root);
  });
});

/** What each route is asked with a path in the place of one. */
const deeds: ReadonlyArray<
  readonly [name: string, (path: string) => readonly [path: string, body: object | undefined]]
> = [
  ['read', (path) => ['/api/read_file', { path }]],
  ['update', (path) => ['/api/update_file', { path, content: 'EVIL' }]],
  ['delete', (path) => ['/api/delete_file', { path }]],
  ['rename', (path) => ['/api/rename_file', { old_path: path, new_title: 'mine.txt' }]],
  ['rename to', (path) => ['/api/rename_file', { old_path: 'Untitled.md', new_title: path }]],
  ['create', (path) => ['/api/create_file', { rel_dir: path }]],
  ['list', (path) => [query(path), undefined]],
];

const hostilePaths = (): ReadonlyArray<readonly [name: string, path: string]> => [
  ['absolute', secret],
  ['absolute, Alice’s', join(alices, 'Untitled.md')],
  ['absolute, the own', join(bobs, 'Untitled.md')],
  ['climbing', relative(bobs, secret)],
  ['climbing to Alice’s', `../${userFolder('test|alice')}/Untitled.md`],
  ['climbing from a folder', `a/../../${userFolder('test|alice')}`],
  ['climbing by backslashes', '..\\..\\secret.txt'],
  ['climbing by escapes', '%2e%2e/%2e%2e/secret.txt'],
  ['climbing by escapes of escapes', '%252e%252e%252fsecret.txt'],
  ['climbing by look-alikes', '．．／secret.txt'],
  ['two dots', '..'],
  ['one dot', '.'],
  ['home', '~/.ssh/id_rsa'],
  ['with a drive', 'C:\\secret.txt'],
  ['with a cut', 'a.md/../../x'],
  ['doubly slashed', `//${secret}`],
  ['with a space at the end', 'Untitled.md '],
  ['over-long', 'a'.repeat(5_000)],
];

describe('through the gateway', () => {
  test.each(deeds)('%s: no path leads out, and nothing of it arrives', async (_, deed) => {
    const before = snapshot();
    const mark = own.upstream.requests.length;
    let last: Answer | undefined;
    for (const [name, hostile] of hostilePaths()) {
      const [path, body] = deed(hostile);
      const answer = body === undefined ? await own.bob.get(path) : await own.bob.post(path, body);
      expect([name, answer.status, answer.code]).toEqual([name, 400, 'path-invalid']);
      expect(answer.text).not.toContain(own.directory);
      last = answer;
    }
    expect(await reasonOf(last)).toBe('path-invalid');
    expect(arrived(mark).filter((path) => !path.startsWith('/socket.io/'))).toEqual([]);
    expect(snapshot()).toEqual(before);
    expect(readFileSync(secret, 'utf8')).toBe('TOP SECRET');
    expect(readFileSync(join(alices, 'Untitled.md'), 'utf8')).toBe('ALICE');
  });

  test('the name of Alice’s folder is a name like any other in Bob’s', async () => {
    const path = `${userFolder('test|alice')}/Untitled.md`;
    const answer = await own.bob.post('/api/read_file', { path });
    expect(JSON.parse(answer.text)).toEqual({ error: `File ${path} does not exist`, path });
  });

  test('who is called nearly as Alice is somebody else', async () => {
    for (const user of ['Alice', 'alic\u0435', '../alice', `../${userFolder('test|alice')}`]) {
      const client = await own.client(user);
      expect((await client.get(query(''))).text).toBe('[]');
      expect((await client.post('/api/read_file', { path: 'Untitled.md' })).text).not.toContain('ALICE');
    }
  });

  test('who is nobody has no folder', async () => {
    const answer = await fetch(`${own.world.gateway.url}${query('')}`);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([401, 'token-missing']);
  });

  test.each<[string, string, string]>([
    ['{"path":"Untitled.md","path":"/etc/passwd"}', 'body-duplicate-key', 'a path twice'],
    ['{"path":"Untitled.md","\\u0070ath":"/etc/passwd"}', 'body-duplicate-key', 'a path twice, once escaped'],
    ['{"path":"\\u002e\\u002e\\u002fa"}', 'path-invalid', 'escapes in the JSON'],
    ['{"path":["/etc/passwd"]}', 'path-invalid', 'a list'],
    ['{"path":{"a":1}}', 'path-invalid', 'an object'],
    ['{"path":1.0}', 'path-invalid', 'a number'],
    ['{"Path":"a"}', 'path-invalid', 'another case'],
    ['{"__proto__":{"path":"a"}}', 'path-invalid', 'a prototype'],
    ['{}', 'path-invalid', 'nothing'],
  ])('%s is refused with %s: %s', async (body, code) => {
    const mark = own.upstream.requests.length;
    const token = await own.world.issuer.token('bob');
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${own.world.gateway.url}/api/read_file`, { method: 'POST', headers, body });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, code]);
    expect(arrived(mark)).not.toContain('/api/read_file');
  });

  test.each<[string, string]>([
    ['rel_path=a&rel_path=..', 'query-invalid'],
    ['rel%5fpath=..', 'query-invalid'],
    ['rel_path=..%2f', 'path-invalid'],
    ['rel_path=%252e%252e', 'path-invalid'],
    ['rel_path=%2Fetc', 'path-invalid'],
    ['rel_path=a;rel_path=..', 'query-invalid'],
    ['rel_path=a%00', 'query-invalid'],
    ['rel_path=%ff', 'query-invalid'],
    ['path=/etc', 'path-invalid'],
    ['', 'path-invalid'],
  ])('the query %s is refused with %s', async (text, code) => {
    const answer = await own.bob.get(`/api/list_files_in_dir?${text}`);
    expect([answer.status, answer.code]).toEqual([400, code]);
  });

  test('a parameter beside it does not arrive', async () => {
    const mark = own.upstream.requests.length;
    expect((await own.bob.get('/api/list_files_in_dir?rel_path=&path=/etc')).status).toBe(200);
    expect(own.upstream.requests[mark]?.target).toBe(`/api/list_files_in_dir?rel_path=${encodeURIComponent(bobs)}`);
  });

  test.each([
    ...['browse_filesystem?path=', 'get_media_files?path=', 'get_file_thumbnail?file_path=', 'serve_file?file_path='],
    ...['get_file_info?file_path=', 'settings/my_assets_dir_path?x='],
  ])('%s stays denied, with a path of the own as well', async (route) => {
    for (const path of [secret, join(bobs, 'Untitled.md'), 'Untitled.md']) {
      const answer = await own.bob.get(`/api/${route}${encodeURIComponent(path)}`);
      expect([answer.status, answer.code]).toEqual([403, 'route-denied']);
    }
  });

  test('open_folder_in_explorer stays denied', async () => {
    const answer = await own.bob.post('/api/open_folder_in_explorer', { path: bobs });
    expect([answer.status, answer.code]).toEqual([403, 'route-denied']);
  });
});

test('an answer with a path outside of the own folder is not shown, whatever it says besides', async () => {
  // The server tells what it made relative to its own workspace; this root is another folder.
  const other = await startWorkspaceWorld({ folder: 'elsewhere' });
  try {
    const direct = await other.direct.post('/api/create_file', { rel_dir: other.root });
    expect(direct.text).toBe('{"path":"../elsewhere/Untitled.md"}');
    const answer = await other.bob.post('/api/create_file', { rel_dir: '' });
    expect([answer.status, answer.code]).toEqual([502, 'answer-unreadable']);
    expect(answer.text).not.toContain('elsewhere');
    expect(answer.text).not.toContain('Untitled');
  } finally {
    await other.close();
  }
});
