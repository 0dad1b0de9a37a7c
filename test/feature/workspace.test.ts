/** The workspace as each user has it: a folder of their own, in which everything works as on the bare server. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { userFolder } from '../../src/rewrite/scope-path.ts';
import type { Answer, Client } from '../support/jaaz-client.ts';
import { startWorkspaceWorld, type WorkspaceWorld } from '../support/workspace.ts';

let own: WorkspaceWorld;
beforeAll(async () => {
  own = await startWorkspaceWorld();
});
afterAll(() => own.close());

const json = ({ text }: Answer) => JSON.parse(text) as unknown;
const list = async (client: Client, folder = '') =>
  json(await client.get(`/api/list_files_in_dir?rel_path=${encodeURIComponent(folder)}`));
const create = async (client: Client, folder = '') => json(await client.post('/api/create_file', { rel_dir: folder }));
const update = (client: Client, path: string, content: string) => client.post('/api/update_file', { path, content });
const read = async (client: Client, path: string) => json(await client.post('/api/read_file', { path }));

describe('the first use', () => {
  test('finds an empty list, and the first file makes the folder', async () => {
    const carol = await own.client('carol');
    expect(await list(carol)).toEqual([]);
    expect(await create(carol)).toEqual({ path: 'Untitled.md' });
    expect(await list(carol)).toEqual([{ name: 'Untitled.md', is_dir: false, rel_path: 'Untitled.md' }]);
    expect(readdirSync(join(own.root, userFolder('test|carol')))).toEqual(['Untitled.md']);
  });

  test('makes folders inside, too, when a file is created in them', async () => {
    const dave = await own.client('dave');
    expect(await create(dave, 'notes/2026')).toEqual({ path: 'notes/2026/Untitled.md' });
    expect(await list(dave)).toEqual([{ name: 'notes', is_dir: true, rel_path: 'notes' }]);
    expect(await list(dave, 'notes')).toEqual([{ name: '2026', is_dir: true, rel_path: 'notes/2026' }]);
  });

  test('of update is refused by the server, which makes no folder for it, in words without a path of the host', async () => {
    const answer = await update(await own.client('erin'), 'a.md', 'x');
    expect([answer.status, json(answer)]).toEqual([
      200,
      { path: 'a.md', error: "[Errno 2] No such file or directory: 'a.md'" },
    ]);
  });
});

test('a file is created, written, read, renamed and deleted', async () => {
  const { alice } = own;
  expect(await create(alice)).toEqual({ path: 'Untitled.md' });
  expect(await create(alice)).toEqual({ path: 'Untitled 1.md' });
  expect(json(await update(alice, 'Untitled 1.md', 'Grüße /etc/passwd\n'))).toEqual({ success: true });
  expect(await read(alice, 'Untitled 1.md')).toEqual({ content: 'Grüße /etc/passwd\n' });
  const rename = { old_path: 'Untitled 1.md', new_title: '日本語 (1).md' };
  expect(json(await alice.post('/api/rename_file', rename))).toEqual({ success: true, path: '日本語 (1).md' });
  expect(await read(alice, 'Untitled 1.md')).toEqual({
    error: 'File Untitled 1.md does not exist',
    path: 'Untitled 1.md',
  });
  expect(readFileSync(join(own.root, userFolder('test|alice'), '日本語 (1).md'), 'utf8')).toContain('Grüße');
  const removed = await alice.post('/api/delete_file', { path: '日本語 (1).md' });
  expect(json(removed)).toEqual({ success: true });
  expect(readdirSync(join(own.root, userFolder('test|alice')))).toEqual(['Untitled.md']);
});

test('what is not there is told as the server tells it, less the host', async () => {
  const { bob } = own;
  await create(bob);
  expect(json(await bob.post('/api/rename_file', { old_path: 'none.md', new_title: 'x.md' }))).toEqual({
    error: 'File none.md does not exist',
    path: 'none.md',
  });
  // The server fails on it: of such an answer nothing but the status is shown.
  const removed = await bob.post('/api/delete_file', { path: 'none.md' });
  expect([removed.status, removed.text]).toEqual([500, '']);
  expect(await list(bob, 'none')).toEqual([]);
});

test('two users’ files of one name are apart', async () => {
  const [frank, grace] = [await own.client('frank'), await own.client('grace')];
  for (const [client, content] of [
    [frank, 'Frank’s'],
    [grace, 'Grace’s'],
  ] as const) {
    await create(client);
    await update(client, 'Untitled.md', content);
  }
  expect(await read(frank, 'Untitled.md')).toEqual({ content: 'Frank’s' });
  expect(await read(grace, 'Untitled.md')).toEqual({ content: 'Grace’s' });
  await frank.post('/api/delete_file', { path: 'Untitled.md' });
  expect(await list(frank)).toEqual([]);
  expect(await read(grace, 'Untitled.md')).toEqual({ content: 'Grace’s' });
});

test('what is too large to write, or to be read, is refused', async () => {
  const heidi = await own.client('heidi');
  await create(heidi);
  expect((await update(heidi, 'Untitled.md', 'x'.repeat(2_000_000))).status).toBe(200);
  expect(await read(heidi, 'Untitled.md')).toEqual({ content: 'x'.repeat(2_000_000) });
  const large = await update(heidi, 'Untitled.md', 'x'.repeat(2_200_000));
  expect([large.status, large.code]).toEqual([413, 'body-too-large']);
});
