import { describe, expect, test } from 'vitest';
import { watching } from '../../../src/cli/policy-tests/watched-policy.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import type { RewriteContext } from '../../../src/model/route.ts';
import { parsePolicy } from '../../../src/policy/load.ts';
import type { RoutePlace } from '../../../src/policy/places.ts';

const text = `
version: 1
name: p
routes:
  - id: r
    match: POST /r
    body: { json: 1KiB }
    rewrite: [{ drop: [a] }, { drop: [b] }, { inline: image }]
`;

const watchedRoute = () => {
  const loaded = parsePolicy({ file: 'p.yaml', text });
  if ('faults' in loaded) throw new Error(JSON.stringify(loaded.faults));
  const places = new Map<string, RoutePlace>();
  const watched = watching(loaded.policy, places);
  const route = watched.policy.match('POST', '/r')?.route;
  const run = async (body: JsonObject) => {
    for (const operation of route?.operations ?? []) await operation(body, {} as RewriteContext);
  };
  return { watched, run };
};

describe('a watched policy', () => {
  test('tells which operations changed a body', async () => {
    const { watched, run } = watchedRoute();
    const body = { b: 1, c: 2 };
    await run(body);
    expect(body).toEqual({ c: 2 });
    expect([...watched.taken()]).toEqual([1]);
    await run({ c: 2 });
    expect([...watched.taken()]).toEqual([]);
  });

  test('tells which operation refused one, and lets it refuse', async () => {
    const { watched, run } = watchedRoute();
    await expect(run({ image: 'http://x' })).rejects.toMatchObject({ reason: 'image-not-inline' });
    expect([...watched.taken()]).toEqual([2]);
  });

  test('matches what the policy matches', () => {
    const { watched } = watchedRoute();
    expect(watched.policy.match('GET', '/r')).toBeUndefined();
    expect(watched.policy.match('POST', '/r')?.route).toBe(watched.policy.match('POST', '/r')?.route);
  });
});
