/** The judges of one raw WebSocket's messages, with real stages and a ledger in memory, and without any socket. */
import type { Mode } from '../../src/model/mode.ts';
import type { Principal } from '../../src/model/principal.ts';
import type { MessageRules } from '../../src/model/websocket.ts';
import { messageLife } from '../../src/pipeline/message.ts';
import type { MessageNote, MessageStages, Verdict } from '../../src/pipeline/message-line.ts';
import { messageStages } from './message-stages.ts';
import { policyFrom, principalOf } from './stages.ts';
import { AGENT_POLICY } from './web-socket-door.ts';

const [rule] = policyFrom(AGENT_POLICY).webSockets;

export const agentRules = (): MessageRules => {
  if (rule?.carries.kind !== 'messages') throw new Error('the agent’s endpoint carries messages');
  return rule.carries;
};

export interface LineOptions {
  readonly mode?: Mode;
  /** Undefined: Ann. */
  readonly principal?: () => Principal | undefined;
  readonly stages?: Partial<MessageStages>;
  /** Whether the upstream has an id that the ledger does not know. */
  readonly presence?: boolean;
}

export const messageLine = async (options: LineOptions = {}) => {
  const { mode = 'enforce', principal = () => principalOf('ann'), stages, presence = false } = options;
  const told: MessageNote[] = [];
  const parts = await messageStages({
    presence,
    stages: { patienceMillis: 50, retryMillis: 1, maxRefused: 3, ...stages },
  });
  const life = messageLife(parts.stages)({
    ...{ rules: agentRules, mode: () => mode, principal, resources: [] },
    told: (note) => told.push(note),
  });
  const message = (value: unknown) => ({
    data: Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    isBinary: Buffer.isBuffer(value),
  });
  return {
    ...parts,
    told,
    sent: (value: unknown): Promise<Verdict> => life.sent(message(value)),
    delivered: (value: unknown): Promise<Verdict> => life.delivered(message(value)),
  };
};

/** What passes, as text; else what the verdict is, with its reason. */
export const wordsOf = (verdict: Verdict): string => {
  if (verdict.kind === 'pass') return verdict.isBinary ? 'bytes' : verdict.data.toString('utf8');
  if (verdict.kind === 'answer') return `answer ${JSON.parse(verdict.data.toString('utf8')).refused.code}`;
  return verdict.kind === 'end' ? `end ${verdict.rejection.reason}` : verdict.kind;
};
