/** Many users at once, and not one byte of another's: and the same hunt at weakened gateways, where it must find some. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everythingIsMine, startComposedGateway } from '../support/composed-gateway.ts';
import { huntLeaks } from '../support/leak-hunt.ts';
import { jaazPolicy, type Replacement, withoutLimits } from '../support/policies.ts';

import { startWorld, type World } from '../support/world.ts';

const SMALL = { users: 6, deeds: 25, seed: 7 };

const statuses = (answers: ReadonlyMap<string, number>): ReadonlySet<string> =>
  new Set([...answers.keys()].map((key) => /\d{3}/.exec(key)?.[0] ?? ''));

describe('fifty users, who know one another’s ids', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ policy: jaazPolicy(...withoutLimits), stepMillis: 1 });
  });
  afterAll(() => world.close());

  test.each([1, 2])('receive no byte of another’s (seed %i)', async (seed) => {
    const report = await huntLeaks({
      url: world.gateway.url,
      token: (user) => world.issuer.token(`${user}-${seed}`),
      users: 50,
      deeds: 24,
      seed,
    });
    expect(report.leaks).toEqual([]);
    // What makes the zero worth something: everybody worked, was refused, heard and got back what was theirs.
    expect(report.ownMarks).toBeGreaterThan(2_000);
    expect(report.packets).toBeGreaterThan(2_000);
    expect(statuses(report.answers)).toEqual(new Set(['200', '403', '404', '409']));
    expect(report.kept).toBeGreaterThan(50);
    expect(report.intact).toBe(report.kept);
  });
});

describe('the hunt finds leaks', () => {
  const worlds: World[] = [];
  const weakWorld = async (...replacements: readonly Replacement[]): Promise<World> => {
    const world = await startWorld({ policy: jaazPolicy(...withoutLimits, ...replacements), stepMillis: 1 });
    worlds.push(world);
    return world;
  };
  afterAll(() => Promise.all(worlds.map((world) => world.close())));

  const leaksOf = async (world: World, more: { url?: string; socketUrl?: string } = {}): Promise<string> => {
    const token = (user: string) => world.issuer.token(user);
    const { leaks } = await huntLeaks({ url: world.gateway.url, token, ...SMALL, ...more });
    return leaks.map(({ where }) => where).join('\n');
  };

  test('at the bare server: in lists, histories, canvases, files and events', async () => {
    const { upstream } = await weakWorld();
    const { leaks } = await huntLeaks({ url: upstream.url, token: async () => undefined, ...SMALL });
    const where = leaks.map((leak) => leak.where).join('\n');
    for (const place of ['canvas/list', 'api/chat_session/', 'GET /api/canvas/', 'GET /api/file/', 'socket']) {
      expect(where).toContain(place);
    }
  });

  test('where lists are not filtered', async () => {
    const world = await weakWorld([/\n {4}filter: \{ keep: .*\}/, '']);
    expect(await leaksOf(world)).toContain('GET /api/canvas/list');
  });

  test('where the parameter of a route is named so that nothing checks it', async () => {
    const world = await weakWorld(
      [
        'match: GET /api/chat_session/{session}\n    hidden: { status: 200, json: [] }',
        'match: GET /api/chat_session/{id}',
      ],
      [
        'match: GET /api/file/{file}\n    hidden: { status: 404, json: { detail: File not found } }',
        'match: GET /api/file/{name}',
      ],
    );
    const where = await leaksOf(world);
    expect(where).toContain('GET /api/chat_session/');
    expect(where).toContain('GET /api/file/');
  });

  test('where a foreign canvas can be written', async () => {
    const world = await weakWorld(['POST /api/canvas/{canvas}/save', 'POST /api/canvas/{id}/save']);
    expect(await leaksOf(world)).toMatch(/GET \/api\/canvas\/(?:list|c_)/);
  });

  test('where events pass unguarded', async () => {
    const world = await weakWorld();
    expect(await leaksOf(world, { socketUrl: world.upstream.url })).toContain('socket');
  });

  test('where the ledger answers that everything is the caller’s', async () => {
    const world = await weakWorld();
    const policy = jaazPolicy(...withoutLimits);
    const weak = await startComposedGateway({
      ...{ upstreamUrl: world.upstream.url, issuer: world.issuer },
      ...{ policy, change: everythingIsMine },
    });
    try {
      const where = await leaksOf(world, { url: weak.url, socketUrl: world.gateway.url });
      for (const place of ['GET /api/canvas/list', 'GET /api/canvas/c_', 'GET /api/chat_session/', 'GET /api/file/']) {
        expect(where).toContain(place);
      }
    } finally {
      await weak.close();
    }
  });
});
