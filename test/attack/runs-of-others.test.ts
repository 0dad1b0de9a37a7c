/**
 * How many runs a user has open is counted by the ends that the upstream announces for a session. Who names another's
 * session must not have that end counted for himself: the other's slot would stay taken until its timeout.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Runs, runs } from '../../src/ratelimit/runs.ts';
import { memorySlots } from '../../src/store/memory/slots.ts';
import { chatBody } from '../support/jaaz-client.ts';
import { jaazPolicy } from '../support/policies.ts';
import { arrive, principalOf } from '../support/stages.ts';

const LIMIT = 3;
const policy = jaazPolicy();
let stage: Runs;
beforeEach(() => {
  stage = runs({ slots: memorySlots() });
});

const begin = async (user: string, session: string) => {
  const body = chatBody({ canvas: `${user}-c`, session, prompt: 'x' });
  const { request, match } = await arrive(policy, { method: 'POST', target: '/api/canvas/create', body });
  return stage.start(request, match, principalOf(user));
};

describe('a request that names another’s session, and is still being judged', () => {
  test('does not take the end of the other’s run for its own', async () => {
    // Bob's is first: it waits for the look at an id upstream, and will be refused as soon as that is over.
    const foreign = await begin('bob', 'alice-s');
    for (let turn = 0; turn < LIMIT; turn += 1) {
      await begin('alice', 'alice-s');
      await stage.ended('alice-s');
      await stage.ended('alice-s');
    }
    await expect(begin('alice', 'next-s')).resolves.toBeDefined();
    if (foreign !== undefined) await stage.finish(foreign, 'nothing');
    expect(stage.open()).toBe(1);
  });

  test('gives its own slot back, and no other, when it is refused', async () => {
    await begin('alice', 'alice-s');
    const foreign = await begin('bob', 'alice-s');
    if (foreign !== undefined) await stage.finish(foreign, 'nothing');
    expect(stage.open()).toBe(1);
    await stage.ended('alice-s');
    expect(stage.open()).toBe(0);
  });
});
