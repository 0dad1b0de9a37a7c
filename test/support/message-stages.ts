/** The real stages that judge messages of a raw WebSocket, on a ledger in memory in which Ann and Bob own a canvas and a session each. */
import { claims } from '../../src/authz/claim.ts';
import { ownershipLookup } from '../../src/authz/lookup.ts';
import { conform } from '../../src/body/conform.ts';
import { parseStrictJson } from '../../src/body/json.ts';
import { writeJson } from '../../src/body/json-write.ts';
import type { MessageStages } from '../../src/pipeline/message-line.ts';
import { messages } from '../../src/realtime/messages.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';

export interface MessageStagesOptions {
  /** Whether the upstream has an id that the ledger does not know. */
  readonly presence?: boolean;
  readonly stages: Partial<MessageStages> & Pick<MessageStages, 'patienceMillis' | 'retryMillis'>;
}

export const messageStages = async ({ presence = false, stages: more }: MessageStagesOptions) => {
  const ledger = memoryLedger();
  for (const user of ['ann', 'bob']) {
    const canvas = { kind: 'canvas', id: `canvas-${user}` };
    await ledger.learn({ ref: canvas, parent: undefined, origin: 'migration' }, `test|${user}`);
    const session = { kind: 'session', id: `session-${user}` };
    await ledger.learn({ ref: session, parent: canvas, origin: 'migration' }, `test|${user}`);
  }
  const near = nearOwnershipCache({ maxEntries: 100, maxAgeMillis: 60_000 });
  const lookup = ownershipLookup({ ledger, near, common: undefined });
  const counted: string[] = [];
  const reported: unknown[] = [];
  const stages: MessageStages = {
    read: (bytes) => parseStrictJson(bytes),
    write: writeJson,
    conform,
    judge: messages,
    ownersOf: lookup.ownersOf,
    claims: claims({ ledger, lookup, presence: async () => presence }),
    learn: (ref, parent, owner) => ledger.learn({ ref, parent, origin: 'event' }, owner),
    count: (outcome, because) => counted.push(`${outcome} ${because}`),
    report: (error) => reported.push(error),
    ...more,
  };
  return { ledger, lookup, counted, reported, stages };
};
