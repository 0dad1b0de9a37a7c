/** What the judgement of a message on a raw WebSocket is given: the stages, the connection, and what may come of it. */

import type { Claims } from '../authz/claim.ts';
import type { BodySchema } from '../model/body-schema.ts';
import type { Finding } from '../model/finding.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import type { Mode } from '../model/mode.ts';
import type { Owner, Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { ResourceRef } from '../model/resource.ts';
import type { MessageRules } from '../model/websocket.ts';
import type { MessageJudge } from '../realtime/messages.ts';
import { askAgain } from './ask-again.ts';

export type Owners = ReadonlyArray<Owner | undefined>;

export type MessageOutcome =
  /** To the upstream. */
  | 'forwarded'
  | 'refused'
  /** To the client. */
  | 'delivered'
  | 'dropped'
  /** Passed as it came, because the policy is not in effect. */
  | 'unfiltered'
  | 'would-refuse'
  | 'would-withhold';

export interface MessageStages {
  /** Throws a Rejection for what two readers could read differently. */
  readonly read: (bytes: Buffer) => JsonValue | Promise<JsonValue>;
  /** `bytes`: of how many it was read. */
  readonly write: (value: JsonObject, bytes: number) => Buffer | Promise<Buffer>;
  /** Throws a Rejection for what is not of the form. */
  readonly conform: (value: JsonObject, schema: BodySchema) => void;
  readonly judge: (rules: MessageRules) => MessageJudge;
  readonly ownersOf: (refs: readonly ResourceRef[]) => Owners | Promise<Owners>;
  readonly claims: Pick<Claims, 'take' | 'settle'>;
  /** Records an id that the server made, below its parent. */
  readonly learn: (ref: ResourceRef, parent: ResourceRef, owner: Owner) => Promise<'learned' | 'known' | 'conflict'>;
  readonly count: (outcome: MessageOutcome, because: string) => void;
  /** Is told of what is no refusal, but a fault of ours. */
  readonly report: (error: unknown, what: string) => void;
  readonly now?: () => number;
  /** For how long a message to a client waits for a ledger that cannot be read. */
  readonly patienceMillis?: number;
  readonly retryMillis?: number;
  /** Refused messages after which a connection ends. */
  readonly maxRefused?: number;
}

/** The stages with their bounds. */
export interface Line extends MessageStages {
  readonly now: () => number;
  readonly patienceMillis: number;
  readonly retryMillis: number;
  readonly maxRefused: number;
}

/** The connection on which messages pass. What may change meanwhile is asked each time. */
export interface Traffic {
  readonly rules: () => MessageRules;
  readonly mode: () => Mode;
  /** Undefined only where somebody unknown may be connected. */
  readonly principal: () => Principal | undefined;
  /** What its path names, which is the principal's own. */
  readonly resources: readonly ResourceRef[];
  /** Is told of each message that was refused, or would have been, and that somebody may have meant to send. */
  readonly told: (note: MessageNote) => void;
}

export interface MessageNote {
  /** `allowed`: it passed, because the policy is not in effect. */
  readonly outcome: 'refused' | 'failed' | 'allowed';
  readonly rejection: Rejection;
  readonly resources: readonly ResourceRef[];
  /** What shadow mode found; empty where the policy is in effect. */
  readonly findings: readonly Finding[];
}

export interface Message {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

export type Verdict =
  | (Message & {
      readonly kind: 'pass';
      /** Is told whether it may have left, or certainly has not. */
      readonly settle?: ((mayHaveLeft: boolean) => void) | undefined;
    })
  | { readonly kind: 'drop' }
  /** Goes back to whom it came from. */
  | { readonly kind: 'answer'; readonly data: Buffer }
  /** Ends the connection. */
  | { readonly kind: 'end'; readonly rejection: Rejection };

/** Rejects only for a fault of ours, which ends the connection. */
export type JudgeMessage = (message: Message) => Promise<Verdict>;

/** Returns what was thrown as the refusal that it is; a fault of ours is reported. */
export const refusalOf = ({ report }: Pick<MessageStages, 'report'>, error: unknown): Rejection => {
  if (error instanceof Rejection) return error;
  report(error, 'a message could not be judged');
  return new Rejection('internal-error', String(error), { cause: error });
};

/** A failing ledger is asked again until it has been too long; `undefined` then. */
export const patiently = <T>(line: Line, ask: () => T | Promise<T>): Promise<T | undefined> =>
  askAgain({ ...line, untilMillis: line.now() + line.patienceMillis }, ask);
