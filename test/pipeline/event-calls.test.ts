/** Calls that wait for a person's word, as the events of their session tell of them. */
import { describe, expect, test } from 'vitest';
import type { EventTypeRule } from '../../src/model/event.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import { classify } from '../../src/realtime/classify.ts';
import { agentUpdate, BOBS, lived, opening, watchedOwners as owned, watched } from '../support/event-line.ts';
import { update } from '../support/session-events.ts';

const pending = (session: string, call: string, words = 'a cat') =>
  update(session, 'tool_call_pending_confirmation', { id: call, arguments: words });
const confirmed = (session: string, call: string) => update(session, 'tool_call_confirmed', { id: call });

const line = (more: Parameters<typeof watched>[0] = {}) => {
  const calls: string[] = [];
  const found = watched({
    owned,
    calls: {
      seen: ({ id }, owner, call) => calls.push(`${call} waits in ${id} for ${owner}`),
      settled: ({ id }, call) => calls.push(`${call} in ${id} is settled`),
    },
    deliver: (_owner, { payload }) => calls.push(`${payload.type} is heard`),
    ...more,
  });
  return { ...found, calls };
};

describe('a call', () => {
  test('waits for its owner before the owner hears of it, and no longer when that is said', async () => {
    const { calls } = await livedOn(line(), pending('s1', 'c9'), confirmed('s1', 'c9'));
    expect(calls).toEqual([
      'c9 waits in s1 for undefined',
      'c9 waits in s1 for demo|alice',
      'tool_call_pending_confirmation is heard',
      'c9 in s1 is settled',
      'tool_call_confirmed is heard',
    ]);
  });

  test('is known to wait at once, while its owner is looked up', async () => {
    const found = line({ asynchronous: true });
    found.life(pending('s1', 'c9'));
    expect(found.calls).toEqual(['c9 waits in s1 for undefined']);
    await livedOn(found);
    expect(found.calls).toContain('c9 waits in s1 for demo|alice');
  });

  test('waits for nobody in a session that nobody owns, and in a run that was stopped', async () => {
    const { calls } = await livedOn(line(), pending('s9', 'c1'), pending('s1', 'c2', BOBS), pending('s1', 'c3'));
    expect(calls).toEqual(
      ['c1', 'c2', 'c3'].map((call, index) => `${call} waits in ${index ? 's1' : 's9'} for undefined`),
    );
  });

  test('is settled in a run that was stopped, too', async () => {
    const { calls } = await livedOn(line(), opening(BOBS), confirmed('s1', 'c9'));
    expect(calls).toEqual(['c9 in s1 is settled']);
  });

  test('that the end of a stopped run names waits for nobody', async () => {
    const waiting: EventTypeRule = { learn: [], endsRun: true, pending: parseFieldPath('id') };
    const rule = { ...agentUpdate, types: new Map([...agentUpdate.types, ['waiting_end', waiting]]) };
    const found = line({ classify: classify(new Map([['session_update', rule]])) });
    await livedOn(found, opening(BOBS), update('s1', 'waiting_end', { id: 'c2' }));
    expect(found.calls).toEqual(['c2 waits in s1 for undefined', 'waiting_end is heard']);
  });
});

const livedOn = async (found: ReturnType<typeof line>, ...events: Parameters<typeof lived>[1][]) => {
  await lived(found, ...events);
  return found;
};
