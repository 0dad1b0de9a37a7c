/** What a watched run said and nobody could look at: it may have been the name of another's file. */
import { describe, expect, test } from 'vitest';
import { opens } from '../../src/realtime/opens.ts';
import {
  argument,
  BOBS,
  done,
  lived,
  opening,
  watchedOwners as owned,
  picture,
  text,
  watched,
} from '../support/event-line.ts';
import { update } from '../support/session-events.ts';

describe('what could not be looked at', () => {
  test('because there was no room for it condemns the run with the next event that is judged', async () => {
    const found = watched({ owned, asynchronous: true, maxEvents: 1 });
    await lived(found, text('s1', 'one'), argument('s1', 'two'));
    await lived(found, picture());
    expect(found.stops).toMatchObject([{ because: 'run-unwatched', owner: 'demo|alice' }]);
    expect(found.log).toEqual(['drop queue-events', 'drop run-condemned', 'drop run-condemned']);
    expect([found.cancelled.length, found.buried]).toEqual([1, ['file:stolencopy.png']]);
  });

  test('because it may not wait condemns the run', async () => {
    const found = watched({ owned, maxEvents: 1 });
    await lived(found, opening('im_alicefil.png', 's2'), opening('im_alicefil.png'), text('s1', 'after'));
    expect(found.log.filter((row) => row.startsWith('drop'))).toEqual(['drop queue-events', 'drop run-condemned']);
    expect(found.stops).toMatchObject([{ because: 'run-unwatched', resources: [{ id: 's1' }] }]);
  });

  test('because the ledger cannot be read condemns the run', async () => {
    const recordsOf = () => Promise.reject(new Error('ledger down'));
    const found = watched({ owned, patienceMillis: 10, stages: { recordsOf } });
    await lived(found, opening('im_alicefil.png'), text('s1', 'after'));
    expect(found.log).toEqual(['drop ledger-unavailable', 'drop run-condemned']);
    expect(found.stops).toMatchObject([{ because: 'run-unwatched' }]);
  });

  test('condemns a run that ends next, which is not asked to end any more', async () => {
    const recordsOf = () => Promise.reject(new Error('ledger down'));
    const found = watched({ owned, patienceMillis: 10, stages: { recordsOf } });
    await lived(found, opening('im_alicefil.png'), done());
    expect(found.log).toEqual(['drop ledger-unavailable', 'ended s1', 'demo|alice: done']);
    expect([found.stops.length, found.cancelled]).toEqual([1, []]);
  });

  test('because its canvas is not its session’s owner’s condemns the run', async () => {
    const found = watched({ owned });
    await lived(found, update('s1', 'tool_call_arguments', { id: 'c', text: 'im_', canvas_id: 'c2' }), text('s1', 'x'));
    expect(found.log).toEqual(['drop event-disagrees', 'drop run-condemned']);
  });

  test('because there was too much of it condemns the run at once', async () => {
    const found = watched({ owned, stages: { opens: opens({ maxTextLength: 10 }) } });
    await lived(found, argument('s1', 'x'.repeat(11)));
    expect(found.stops).toMatchObject([{ because: 'run-unwatched' }]);
    expect(found.log).toEqual(['drop run-condemned']);
  });

  test('is no end where events ahead of it were not judged yet', async () => {
    const found = watched({ owned, asynchronous: true, maxEvents: 2 });
    await lived(found, opening(BOBS), text('s1', 'secret'), done());
    expect(found.log).toEqual(['drop queue-events', 'ended s1', 'drop run-condemned', 'drop run-condemned']);
    await lived(found, done(), text('s1', 'next'));
    expect(found.log.at(-1)).toBe('demo|alice: next');
  });

  test('is the end of a run when an end cannot be judged', async () => {
    let failing = false;
    const ownersOf = async (refs: readonly unknown[]) => {
      if (failing) throw new Error('ledger down');
      return refs.map(() => 'demo|alice');
    };
    const found = watched({ owned, ownersOf, patienceMillis: 10 });
    await lived(found, opening(BOBS));
    failing = true;
    await lived(found, done());
    failing = false;
    await lived(found, text('s1', 'next'));
    expect(found.log).toEqual(['drop run-condemned', 'drop ledger-unavailable', 'ended s1', 'demo|alice: next']);
  });
});
