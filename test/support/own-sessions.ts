/** A ledger in which each user has a canvas and a session, and the events of these as the server behind broadcasts them. */
import { join } from 'node:path';
import { openSqliteLedger } from '../../src/store/sqlite/ownership-ledger.ts';

/** Each user owns a canvas and a session of their own name. */
export const own = async (directory: string, users: readonly string[]): Promise<void> => {
  const ledger = openSqliteLedger({ path: join(directory, 'ownership.db') });
  for (const user of users) {
    const canvas = { kind: 'canvas', id: `${user}-c` };
    const session = { kind: 'session', id: `${user}-s` };
    const wanted = [
      { ref: canvas, parent: undefined, verb: 'create' as const },
      { ref: session, parent: canvas, verb: 'claim' as const },
    ];
    const outcome = await ledger.claim(wanted, `test|${user}`, 'seed');
    if (!outcome.claimed) throw new Error('the ledger was not empty');
    await ledger.settle(outcome.refs, 'seed', 'kept');
  }
  await ledger.close();
};

export const deltas = (user: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, index): [string, object] => [
    'session_update',
    { session_id: `${user}-s`, canvas_id: null, type: 'delta', text: `${user} ${from + index}` },
  ]);

export const words = (user: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${user} ${from + index}`);
