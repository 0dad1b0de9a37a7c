/** An event of which those hear that the policy is not in effect for. */
import { describe, expect, test } from 'vitest';
import type { EventFate, Overhearing } from '../../src/pipeline/event.ts';
import { alices, idle, line, text } from '../support/event-line.ts';
import { update } from '../support/session-events.ts';

describe('those that the policy is not in effect for', () => {
  const ears = (isShadow = true) => {
    const told: unknown[] = [];
    const overhearing: Overhearing = {
      hear(event) {
        told.push(`hears ${event.payload.text ?? event.payload.type ?? event.name}`);
        return isShadow;
      },
      judged: (fate) => void told.push(fate),
    };
    return { told, overhearing };
  };
  const fate = (more: Partial<EventFate>): EventFate => ({
    ...{ event: 'session_update', type: 'delta', owner: undefined, because: undefined },
    ...more,
  });

  test('hear an event at once, before its owner is looked up, and every one of them', async () => {
    const { told, overhearing } = ears(false);
    const { life, log, held } = line({ owned: alices, asynchronous: true, overhearing });
    for (const word of ['one', 'two']) life(text('s1', word));
    life({ name: 'surprise', payload: {} });
    expect([told, log]).toEqual([['hears one', 'hears two', 'hears surprise'], ['drop unlisted-event']]);
    await idle(held);
    expect(told).toHaveLength(3);
  });

  test.each([
    ['another’s', text('s1', 'x'), fate({ owner: 'demo|alice' })],
    ['nobody’s', text('s2', 'x'), fate({ because: 'unknown-owner' })],
    ['of no session', text('', 'x'), fate({ because: 'no-resource' })],
    ['of an unlisted type', update('s1', 'odd'), fate({ type: 'odd', because: 'unlisted-type' })],
    ['unlisted', { name: 'odd', payload: {} }, fate({ event: 'odd', type: undefined, because: 'unlisted-event' })],
    ['of two owners', text('s1', 'x', { canvas_id: 'c2' }), fate({ because: 'event-disagrees' })],
  ])('leave one fate behind of an event that is %s', async (_, event, expected) => {
    const { told, overhearing } = ears();
    const { life, held } = line({ owned: alices, asynchronous: true, overhearing });
    life(event);
    await idle(held);
    expect(told.slice(1)).toEqual([expected]);
  });

  test('leave one fate behind of an event that finds no room, cannot be sent, or cannot be learned', async () => {
    const { told, overhearing } = ears();
    const deliver = (): number => {
      throw new RangeError('too deep');
    };
    const learn = async () => 'conflict' as const;
    const { life, held } = line({ owned: alices, asynchronous: true, maxEvents: 1, overhearing, deliver, learn });
    life(text('s1', 'one'));
    life(text('s1', 'two'));
    await idle(held);
    life(update('s1', 'image_generated', { image_url: '/api/file/im_abcdefgh.png', text: 'three' }));
    await idle(held);
    const reasons = told.flatMap((one) => (typeof one === 'string' ? [] : [(one as EventFate).because]));
    expect(reasons).toEqual(['queue-events', 'undeliverable', 'learn-conflict']);
  });

  test('cannot keep the owner from hearing', () => {
    const hear = (): boolean => {
      throw new RangeError('too deep');
    };
    const { life, log } = line({ owned: alices, overhearing: { hear, judged: () => undefined } });
    life(text('s1', 'one'));
    expect(log).toEqual(['drop undeliverable', 'demo|alice: one']);
  });
});
