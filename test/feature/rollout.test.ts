/** A policy takes effect step by step: for a share of the users, for a role, for named ones, for one route. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Rollout } from '../../src/model/mode.ts';
import { chatBody } from '../support/jaaz-client.ts';
import { jaazPolicy } from '../support/policies.ts';
import { SHADOW, type ShadowedWorld, startShadowedWorld } from '../support/shadowed.ts';
import { faultsOf, principalOf } from '../support/stages.ts';

const COHORTS = `mode: shadow
cohorts:
  spared: { mode: off, users: ['test|otto'] }
  pilots: { mode: enforce, users: ['test|pia'] }
  staff: { mode: enforce, roles: [staff] }
  some: { mode: enforce, percent: 30 }`;

describe('cohorts', () => {
  const policy = jaazPolicy(['mode: enforce', COHORTS], ['id: config.exists,', 'id: config.exists, mode: shadow,']);
  let world: ShadowedWorld;
  beforeAll(async () => {
    world = await startShadowedWorld({ policy });
    const { direct, heard } = world;
    await direct.post('/api/canvas/create', chatBody({ canvas: 'old-c', session: 'old-s', prompt: 'old' }));
    await heard.done('old-s', 2);
  });
  afterAll(() => world.close());

  const isIn = ({ cohorts }: Rollout, user: string) =>
    cohorts.some(({ name, has }) => name === 'some' && has(principalOf(user)));
  const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);
  const within = users.find((user) => isIn(policy.rollout, user)) ?? '';
  const beyond = users.find((user) => !isIn(policy.rollout, user)) ?? '';

  test.each([
    ['who is named', 'pia', []],
    ['of a role', 'carl', ['staff']],
    ['within the share', within, []],
  ])('it is in effect for somebody %s', async (_name, user, roles) => {
    const client = await world.as(user, roles);
    const list = await client.get('/api/canvas/list');
    expect([list.text, list.headers.get('cache-control')]).toEqual(['[]', 'private, no-store']);
    expect(await world.recordOf(list)).not.toHaveProperty('mode');
    expect((await client.get('/api/canvas/old-c')).text).toBe('null');
    expect((await client.get('/no/such/path')).code).toBe('route-unknown');
    expect((await client.get('/docs')).code).toBe('route-denied');
    expect((await client.get('/api/config')).code).toBe('role-missing');
    const taken = await client.post('/api/canvas/create', chatBody({ canvas: 'old-c', session: 'x', prompt: 'x' }));
    expect([taken.status, taken.code]).toEqual([409, 'resource-taken']);
  });

  test('all others pass', async () => {
    for (const client of [await world.as(beyond), world.old]) {
      const list = await client.get('/api/canvas/list');
      expect(list.text).toContain('old-c');
      expect((await world.recordOf(list)).mode).toBe('shadow');
      expect((await client.get('/no/such/path')).text).toBe('{"detail":"Not Found"}');
      expect((await client.get('/docs')).status).toBe(200);
    }
  });

  test('what one of them makes is the maker’s, in effect or not', async () => {
    const pia = await world.as('pia');
    const other = await world.as(beyond);
    await pia.post('/api/canvas/create', chatBody({ canvas: 'p-c', session: 'p-s', prompt: 'x' }));
    await other.post('/api/canvas/create', chatBody({ canvas: 'o-c', session: 'o-s', prompt: 'x' }));
    await world.heard.done('o-s', 2);
    expect(JSON.parse((await pia.get('/api/canvas/list')).text)).toMatchObject([{ id: 'p-c' }]);
    expect((await pia.get('/api/canvas/o-c')).text).toBe('null');
    const list = await other.get('/api/canvas/list');
    expect(await world.findings(list)).toEqual([{ would: 'remove', kind: 'canvas', removed: 3, of: 4 }]);
  });

  test('a route’s own mode wins', async () => {
    const exists = await (await world.as('pia')).get('/api/config/exists');
    expect((await world.recordOf(exists)).mode).toBe('shadow');
  });

  test('off: nothing is judged, nothing is counted, nothing becomes anybody’s', async () => {
    const otto = await world.as('otto');
    const list = await otto.get('/api/canvas/list?x=1');
    expect(list.text).toContain('old-c');
    const made = await otto.post('/api/canvas/create', chatBody({ canvas: 'off-c', session: 'off-s', prompt: 'x' }));
    expect(made.text).toBe('{"id":"off-c"}');
    for (const answer of [list, made, await otto.get('/docs')]) {
      const record = await world.recordOf(answer);
      expect(record).toMatchObject({ mode: 'off', findings: [], owner: 'test|otto', client: 'node' });
      expect(record).not.toHaveProperty('claims');
    }
    expect(await world.upstream.requests.filter(({ path }) => path.endsWith('/off-c'))).toEqual([]);
  });
});

test('a route can be in effect while its file looks on, and look on while it is in effect', async () => {
  const route = (mode: string) => ['- id: canvas.read\n', `- id: canvas.read\n    mode: ${mode}\n`] as const;
  for (const [policy, shown] of [
    [jaazPolicy(SHADOW, route('enforce')), ['shadow', undefined]],
    [jaazPolicy(route('shadow')), [undefined, 'shadow']],
  ] as const) {
    const world = await startShadowedWorld({ policy });
    const alice = await world.as('alice');
    const answers = [await alice.get('/api/canvas/list'), await alice.get('/api/canvas/default')];
    const modes = await Promise.all(answers.map(async (answer) => (await world.recordOf(answer)).mode));
    expect(modes).toEqual(shown);
    expect(answers[1]?.text === 'null').toBe(shown[1] === undefined);
    expect((await world.old.get('/api/canvas/default')).status).toBe(shown[1] === undefined ? 401 : 200);
    await world.close();
  }
});

test.each([
  ['of the file', 'mode: warn'],
  ['of a cohort', 'cohorts: { some: { mode: dry-run, percent: 5 } }'],
])('a mode %s that this version does not know is refused', (_where, line) => {
  expect(faultsOf(`version: 1\nname: p\n${line}\nroutes: [{ id: a, match: GET /a }]`).join()).toMatch(/mode/);
});
