/**
 * THE LIFE OF A MESSAGE on a raw WebSocket, in both directions. A client is told what was refused; what the upstream says
 * to others ends in a drop that is counted. Where the policy is not in effect messages pass as they came, and what was
 * found is evidence.
 */
import type { MessageRules } from '../model/websocket.ts';
import { deliveredJudge } from './message-delivered.ts';
import type { JudgeMessage, Line, MessageStages, Traffic } from './message-line.ts';
import { sentJudge } from './message-sent.ts';

/** The two judges of one connection. */
export interface MessageLife {
  /** Of what the client sends. */
  readonly sent: JudgeMessage;
  /** Of what the upstream sends. */
  readonly delivered: JudgeMessage;
}

/** Returns what makes the judges of a connection. */
export const messageLife = (stages: MessageStages): ((traffic: Traffic) => MessageLife) => {
  const bounds = { now: Date.now, patienceMillis: 10_000, retryMillis: 100, maxRefused: 20 };
  const line: Line = { ...bounds, ...stages, judge: remembered(stages.judge) };
  return (traffic) => ({ sent: sentJudge(line, traffic), delivered: deliveredJudge(line, traffic) });
};

/** What is made of rules is made once for each policy that goes live. */
const remembered = (judge: MessageStages['judge']): MessageStages['judge'] => {
  const made = new WeakMap<MessageRules, ReturnType<typeof judge>>();
  return (rules) => {
    const known = made.get(rules) ?? judge(rules);
    made.set(rules, known);
    return known;
  };
};
