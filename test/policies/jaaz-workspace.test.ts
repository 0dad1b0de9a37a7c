import { describe, expect, test } from 'vitest';
import { ENFORCED } from '../../src/model/mode.ts';
import type { Route } from '../../src/model/route.ts';
import { jaazPolicy } from '../support/policies.ts';
import { policyOf } from '../support/world.ts';

const workspace = policyOf('policies/jaaz-workspace.yaml');
const jaaz = jaazPolicy();
const told = ({ id, method, segments, access, roles }: Route): string =>
  JSON.stringify([id, method, segments, access, roles]);

const OPENED: ReadonlyArray<readonly [method: string, path: string]> = [
  ['POST', '/api/create_file'],
  ['POST', '/api/read_file'],
  ['POST', '/api/update_file'],
  ['POST', '/api/rename_file'],
  ['POST', '/api/delete_file'],
  ['GET', '/api/list_files_in_dir'],
];

describe('the workspace', () => {
  test.each(OPENED)('%s %s is denied by jaaz.yaml, and every user’s with this file', (method, path) => {
    expect(jaaz.match(method, path)?.route.access).toBe('denied');
    expect(workspace.match(method, path)?.route).toMatchObject({ access: 'user', rollout: ENFORCED, roles: [] });
  });

  test('and nothing else differs', () => {
    const opened = new Set(OPENED.map(([method, path]) => workspace.match(method, path)?.route.id));
    const others = workspace.routes.filter(({ id }) => !opened.has(id)).map(told);
    expect(others.sort()).toEqual(
      jaaz.routes
        .filter(({ id }) => !opened.has(id))
        .map(told)
        .sort(),
    );
    expect(opened.size).toBe(OPENED.length);
  });

  test.each([
    ['POST', '/api/open_folder_in_explorer'],
    ['GET', '/api/browse_filesystem'],
    ['GET', '/api/get_media_files'],
    ['GET', '/api/get_file_thumbnail'],
    ['GET', '/api/serve_file'],
    ['GET', '/api/get_file_info'],
    ['GET', '/api/settings/my_assets_dir_path'],
  ])('%s %s stays denied', (method, path) => {
    expect(workspace.match(method, path)?.route.access).toBe('denied');
  });
});
