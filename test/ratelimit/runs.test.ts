import { describe, expect, test } from 'vitest';
import { type Run, runs } from '../../src/ratelimit/runs.ts';
import { memorySlots } from '../../src/store/memory/slots.ts';
import { refusalOf } from '../support/bodies.ts';
import { arrive, policyFrom, principalOf } from '../support/stages.ts';

const policy = policyFrom(`
version: 1
name: p
resources: { session: { id: '[a-z0-9]{1,9}' } }
limits: { running: { concurrent: 2, by: user, timeout: 1m } }
routes:
  - id: event
    match: POST /event
    body: { json: 1KiB, own: { session: session_id } }
    run: { limit: running, session: session_id, ends: event }
  - id: answer
    match: POST /answer
    body: { json: 1KiB, own: { session: session_id } }
    run: { limit: running, session: session_id, ends: answer }
  - { id: plain, match: GET /plain }
`);

const open = () => {
  let time = 0;
  const now = () => time;
  const stage = runs({ slots: memorySlots({ now }), now });
  const start = async (session: unknown, { user = 'alice', target = '/event' } = {}) => {
    const { request, match } = await arrive(policy, { method: 'POST', target, body: { session_id: session } });
    return (await stage.start(request, match, principalOf(user))) as Run;
  };
  return {
    stage,
    start,
    pass: (millis: number) => {
      time += millis;
    },
  };
};

describe('starting', () => {
  test('takes a slot of the user, and refuses when none is left', async () => {
    const { start, stage } = open();
    await start('s1');
    await start('s2');
    const refused = await start('s3').catch((error: unknown) => error);
    expect(refused).toMatchObject({ reason: 'runs-limited', status: 429, headers: ['retry-after', '5'] });
    expect(await refusalOf(() => start('s3', { user: 'bob' }))).toBe('accepted');
    expect(stage.open()).toBe(3);
  });

  test('does nothing on a route that starts no run', async () => {
    const { request, match } = await arrive(policy, { method: 'GET', target: '/plain' });
    expect(await open().stage.start(request, match, principalOf('alice'))).toBeUndefined();
  });

  test('counts no run whose session is no text: such a request is refused by what judges ids', async () => {
    const { start, stage } = open();
    expect(await start(5)).toBeUndefined();
    expect(stage.open()).toBe(0);
  });

  test('a run that never ends frees its slot after its time', async () => {
    const { start, stage, pass } = open();
    await start('s1');
    await start('s2');
    pass(60_000);
    await start('s3');
    expect(stage.open()).toBe(1);
  });
});

describe('the end of the request', () => {
  test.each([
    ['/event', 'nothing', 0],
    ['/event', 'answered', 1],
    ['/event', 'unknown', 1],
    ['/answer', 'nothing', 0],
    ['/answer', 'answered', 0],
    ['/answer', 'unknown', 1],
  ] as const)('%s with %s leaves %i open', async (target, outcome, left) => {
    const { start, stage } = open();
    const run = await start('s', { target });
    await stage.finish(run, outcome);
    expect(stage.open()).toBe(left);
    await start('s2');
    expect(await refusalOf(() => start('s3'))).toBe(left === 0 ? 'accepted' : 'runs-limited 429');
  });

  test('twice is once', async () => {
    const { start, stage } = open();
    const run = await start('s');
    await stage.finish(run, 'nothing');
    await start('s');
    await stage.finish(run, 'nothing');
    expect(stage.open()).toBe(1);
  });
});

describe('the end of the run', () => {
  test('frees its slot, and its echo frees no other', async () => {
    const { start, stage } = open();
    await start('s');
    await stage.ended('s');
    await start('s');
    await stage.ended('s');
    expect(stage.open()).toBe(1);
    await stage.ended('s');
    expect(stage.open()).toBe(0);
  });

  test('an end that comes much later is no echo', async () => {
    const { start, stage, pass } = open();
    await start('s');
    await stage.ended('s');
    await start('s');
    pass(2_000);
    await stage.ended('s');
    expect(stage.open()).toBe(0);
  });

  test('two runs of one session end one after the other', async () => {
    const { start, stage } = open();
    await start('s');
    await start('s');
    for (const left of [1, 1, 0, 0]) {
      await stage.ended('s');
      expect(stage.open()).toBe(left);
    }
  });

  test('of another session frees nothing', async () => {
    const { start, stage } = open();
    await start('s');
    await stage.ended('t');
    expect(stage.open()).toBe(1);
  });

  test('before the answer, and then the answer, frees one slot', async () => {
    const { start, stage } = open();
    const run = await start('s', { target: '/answer' });
    await start('t', { target: '/answer' });
    await stage.ended('s');
    await stage.finish(run, 'answered');
    expect(stage.open()).toBe(1);
  });
});
