/**
 * Where the policy only looks on for some and is in effect for others, both may ask for the same id at once. The server
 * makes it for one of them; the other, whose failure might have done something, must not be left with it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chatBody } from '../support/jaaz-client.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';
import { type ShadowedWorld, startShadowedWorld } from '../support/shadowed.ts';

const COHORT = `mode: shadow
cohorts: { pilots: { mode: enforce, users: ['test|mallory'] } }`;

let world: ShadowedWorld;
beforeAll(async () => {
  world = await startShadowedWorld({ policy: jaazPolicy(['mode: enforce', COHORT], ...withoutLimits) });
});
afterAll(() => world.close());

test('whoever comes second gets nothing of what the first one makes, whatever the mode of either', async () => {
  const [alice, mallory] = [await world.as('alice'), await world.as('mallory')];
  for (let round = 0; round < 20; round += 1) {
    const create = (who: typeof alice, name: string) =>
      who.post('/api/canvas/create', chatBody({ canvas: `c${round}`, session: `${name}${round}`, prompt: 'hers' }));
    const both = await Promise.all([create(alice, 'a'), create(mallory, 'm')]);
    const made = both.findIndex(({ status }) => status === 200);
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
    const seen = await mallory.get(`/api/canvas/c${round}`);
    expect([round, seen.text === 'null']).toEqual([round, made === 0]);
  }
});

test('what the server makes during the first chat of a session is the caller’s', async () => {
  const alice = await world.as('alice');
  await alice.post('/api/canvas/create', chatBody({ canvas: 'c', session: 's1', prompt: 'a picture' }));
  await world.heard.done('s1', 2);
  // It answers when the run has ended, and the picture was made before.
  expect((await alice.post('/api/chat', chatBody({ canvas: 'c', session: 's2', prompt: 'a picture' }))).status).toBe(
    200,
  );
  await world.heard.done('s2', 2);
  const made = world.heard.updates.find((update) => update.session_id === 's2' && update.type === 'image_generated');
  expect(made?.image_url).toMatch(/\/api\/file\/./);
  const picture = await alice.get(new URL(String(made?.image_url), 'http://x').pathname);
  expect([picture.status, await world.findings(picture)]).toEqual([200, []]);
});
