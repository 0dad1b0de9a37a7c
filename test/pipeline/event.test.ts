import { describe, expect, test } from 'vitest';
import type { Owner } from '../../src/model/principal.ts';
import { type ResourceRef, resourceKey } from '../../src/model/resource.ts';
import { alices, idle, line, text } from '../support/event-line.ts';
import { update } from '../support/session-events.ts';

describe('an event', () => {
  test('reaches its owner in the same turn when the owner is known here', () => {
    const { life, log } = line({ owned: alices });
    life(text('s1', 'hello', { canvas_id: 'c1' }));
    expect(log).toEqual(['demo|alice: hello']);
  });

  test('waits for the look-up of its owner, and none of its session overtakes it', async () => {
    const { life, log, held } = line({ owned: alices, asynchronous: true });
    for (const word of ['one', 'two', 'three']) life(text('s1', word));
    expect(log).toEqual([]);
    await idle(held);
    expect(log).toEqual(['demo|alice: one', 'demo|alice: two', 'demo|alice: three']);
    expect(held()).toEqual({ events: 0, bytes: 0, keys: 0 });
  });

  test.each([false, true])('of an unknown session reaches nobody (look-up takes time: %s)', async (asynchronous) => {
    const { life, log, held } = line({ owned: alices, asynchronous });
    life(text('s2', 'secret'));
    await idle(held);
    expect(log).toEqual(['drop unknown-owner']);
  });

  test('that is not listed is counted without its name', () => {
    const counted: unknown[] = [];
    const { life } = line({ count: (...row) => counted.push(row) });
    life({ name: 'surprise', payload: {} });
    life({ name: 'session_update', payload: { type: 'surprise' } });
    expect(counted).toEqual([
      ['events-dropped', { because: 'unlisted-event', event: '' }],
      ['events-dropped', { because: 'unlisted-type', event: 'session_update' }],
    ]);
  });

  test.each([
    ["another's canvas", { 'session:s1': 'demo|alice', 'canvas:c1': 'demo|bob' }],
    ['a canvas that nobody owns', { 'session:s1': 'demo|alice' }],
  ])('that names %s reaches nobody, and the audit hears of it', (_, owned) => {
    const { life, log, refusals } = line({ owned });
    life(text('s1', 'mixed', { canvas_id: 'c1' }));
    expect(log).toEqual(['drop event-disagrees']);
    expect(refusals).toMatchObject([{ because: 'event-disagrees', owner: 'demo|alice', event: 'session_update' }]);
  });

  test('that cannot be delivered is dropped, and the next one is not', () => {
    let calls = 0;
    const { life, log } = line({
      owned: alices,
      deliver() {
        calls += 1;
        if (calls === 1) throw new RangeError('too deep');
        return 1;
      },
    });
    life(text('s1', 'one'));
    life(text('s1', 'two'));
    expect([log, calls]).toEqual([['drop undeliverable'], 2]);
  });
});

describe('learning', () => {
  const image = update('s1', 'image_generated', {
    canvas_id: 'c1',
    image_url: '/api/file/im_abcdefgh.png',
    text: 'image',
  });

  test('is over before the owner hears of the file', async () => {
    const { life, log, ledger, held } = line({ owned: alices });
    life(image);
    life(text('s1', 'after'));
    expect(log.some((row) => row.startsWith('demo|'))).toBe(false);
    await idle(held);
    expect(log).toEqual(['learn file:im_abcdefgh.png below session:s1', 'demo|alice: image', 'demo|alice: after']);
    expect(ledger.get('file:im_abcdefgh.png')).toBe('demo|alice');
  });

  test("of another's file drops the event, and the audit hears of it", async () => {
    const { life, log, refusals, ledger, held } = line({ owned: { ...alices, 'file:im_abcdefgh.png': 'demo|bob' } });
    life(image);
    await idle(held);
    expect(log).toEqual(['drop learn-conflict']);
    expect(refusals).toMatchObject([{ because: 'learn-conflict', resources: [{}, {}, { id: 'im_abcdefgh.png' }] }]);
    expect(ledger.get('file:im_abcdefgh.png')).toBe('demo|bob');
  });

  test('does not begin before the canvas was found to agree', async () => {
    const { life, log, held } = line({ owned: { 'session:s1': 'demo|alice', 'canvas:c1': 'demo|bob' } });
    life(image);
    await idle(held);
    expect(log).toEqual(['drop event-disagrees']);
  });
});

describe('the end of a run', () => {
  test('is told before the owner hears of it, each time', () => {
    const { life, log } = line({ owned: alices });
    life(update('s1', 'done'));
    life(update('s1', 'done'));
    expect(log).toEqual(['ended s1', 'demo|alice: done', 'ended s1', 'demo|alice: done']);
  });

  test('is told even when nobody can hear of it', async () => {
    const { life, log, held } = line({ owned: {}, asynchronous: true, maxEvents: 1 });
    life(update('s1', 'done'));
    life(update('s1', 'done'));
    life(update('s2', 'done'));
    await idle(held);
    expect(log.filter((row) => row.startsWith('ended')).sort()).toEqual(['ended s1', 'ended s1', 'ended s2']);
    expect(log.filter((row) => row.startsWith('drop')).sort()).toEqual([
      'drop queue-events',
      'drop queue-events',
      'drop unknown-owner',
    ]);
  });
});

describe('a ledger that cannot be read', () => {
  const failing = (times: number, owner: Owner | undefined = 'demo|alice') => {
    const state = { left: times, asked: 0 };
    const ownersOf = async (refs: readonly ResourceRef[]) => {
      state.asked += 1;
      if (state.left > 0) {
        state.left -= 1;
        throw new Error('ledger down');
      }
      return refs.map(() => owner);
    };
    return { state, ownersOf };
  };

  test('is asked again, and the events of the session keep their order', async () => {
    const { state, ownersOf } = failing(3);
    const { life, log, held, failures } = line({ ownersOf });
    life(text('s1', 'one'));
    life(text('s1', 'two'));
    await idle(held);
    expect(log).toEqual(['demo|alice: one', 'demo|alice: two']);
    expect([state.asked, failures]).toEqual([5, []]);
  });

  test('is given up for an event that has waited long enough', async () => {
    const { ownersOf } = failing(Number.POSITIVE_INFINITY);
    const { life, log, held } = line({ ownersOf, patienceMillis: 30 });
    for (let i = 0; i < 50; i += 1) life(text('s1', `${i}`));
    const begun = Date.now();
    await idle(held);
    expect(log).toEqual(Array(50).fill('drop ledger-unavailable'));
    // Patience is counted from when an event was heard, so that a queue does not take its length times as long.
    expect(Date.now() - begun).toBeLessThan(1_000);
  });

  test('may also throw, and is asked again', async () => {
    let asked = 0;
    const { life, log, held } = line({
      ownersOf() {
        asked += 1;
        if (asked === 1) throw new Error('ledger down');
        return ['demo|alice'];
      },
    });
    life(text('s1', 'one'));
    await idle(held);
    expect(log).toEqual(['demo|alice: one']);
  });

  test('is asked again to learn, and what cannot be learned is not delivered', async () => {
    const outcomes: Array<'learned' | Error> = [new Error('down'), 'learned'];
    const learn = async (): Promise<'learned'> => {
      const outcome = outcomes.shift() ?? new Error('down');
      if (outcome instanceof Error) throw outcome;
      return outcome;
    };
    const { life, log, held } = line({ owned: alices, learn, patienceMillis: 20 });
    const image = (name: string) => update('s1', 'image_generated', { image_url: `/api/file/${name}.png`, text: name });
    life(image('im_aaaaaaaa'));
    await idle(held);
    life(image('im_bbbbbbbb'));
    await idle(held);
    expect(log).toEqual(['demo|alice: im_aaaaaaaa', 'drop ledger-unavailable']);
  });
});

describe('the bounded queue', () => {
  test('drops the newest and counts it, and serves owners that are known here', async () => {
    const known = new Map([['session:s9', 'demo|bob']]);
    const { life, log, held } = line({
      maxEvents: 2,
      ownersOf(refs) {
        const owners = refs.map((ref) => known.get(resourceKey(ref)));
        return owners.every((owner) => owner !== undefined)
          ? owners
          : new Promise((resolve) => setImmediate(() => resolve(refs.map(() => 'demo|alice'))));
      },
    });
    for (const word of ['one', 'two', 'three']) life(text('s1', word));
    life(text('s2', 'four'));
    life(text('s9', 'five'));
    expect(log).toEqual(['drop queue-events', 'drop queue-events', 'demo|bob: five']);
    await idle(held);
    expect(log.slice(3)).toEqual(['demo|alice: one', 'demo|alice: two']);
  });

  test('is bounded in bytes for one session', async () => {
    const { life, log, held } = line({ owned: alices, asynchronous: true });
    for (let i = 0; i < 3; i += 1) life(text('s1', 'x'.repeat(30 << 20)));
    expect(log).toEqual(['drop queue-bytes-of-one']);
    await idle(held);
    expect(log).toHaveLength(3);
  });
});
