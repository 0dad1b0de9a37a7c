/**
 * A message of the upstream: the client sees it when its type is listed and all of it is the connection's own owner's. An
 * upstream that says everything to everybody therefore tells nobody anything.
 */
import type { Finding } from '../model/finding.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import type { DeliveredMessage } from '../realtime/messages.ts';
import {
  type JudgeMessage,
  type Line,
  type Message,
  type MessageNote,
  patiently,
  refusalOf,
  type Traffic,
} from './message-line.ts';

/** Returns the judge of what the upstream sends on one connection. */
export const deliveredJudge =
  (line: Line, traffic: Traffic): JudgeMessage =>
  async (message) => {
    const mode = traffic.mode();
    const asItCame = { kind: 'pass', ...message } as const;
    if (mode === 'off') {
      line.count('unfiltered', 'none');
      return asItCame;
    }
    const seen = await judged(mode === 'enforce' ? line : { ...line, patienceMillis: 0 }, traffic, message);
    if (mode === 'shadow') {
      line.count('unfiltered', 'none');
      if ('because' in seen) noteWithheld(line, traffic, seen);
      return asItCame;
    }
    if ('because' in seen) {
      line.count('dropped', seen.because);
      if (seen.refusal !== undefined) traffic.told({ outcome: 'refused', ...seen.refusal, findings: [] });
      return { kind: 'drop' };
    }
    line.count('delivered', 'none');
    return { kind: 'pass', data: seen.data, isBinary: false };
  };

type Because =
  | Extract<DeliveredMessage, { kind: 'drop' }>['because']
  | 'binary'
  | 'ledger-unavailable'
  | 'unknown-owner'
  | 'not-theirs'
  | 'event-disagrees'
  | 'learn-conflict'
  | 'undeliverable';

interface Withheld {
  readonly because: Because;
  readonly type: string | undefined;
  /** Where somebody may have caused it on purpose. */
  readonly refusal?: Pick<MessageNote, 'rejection' | 'resources'>;
}

const MAX_TYPE = 64;

const noteWithheld = (line: Line, traffic: Traffic, { because, type = 'message' }: Withheld): void => {
  line.count('would-withhold', because);
  const event = type.slice(0, MAX_TYPE);
  const findings: Finding[] = [{ would: 'withhold', event, because, sockets: 1, of: 1 }];
  traffic.told({ outcome: 'allowed', rejection: new Rejection('event-refused', event), resources: [], findings });
};

/** Resolves to what the client may see, or to why it sees nothing. Never rejects. */
const judged = async (
  line: Line,
  traffic: Traffic,
  { data, isBinary }: Message,
): Promise<{ readonly data: Buffer } | Withheld> => {
  if (isBinary) return { because: 'binary', type: undefined };
  let type: string | undefined;
  try {
    const what = line.judge(traffic.rules()).delivered(await line.read(data));
    type = what.type;
    if (what.kind === 'drop') return { because: what.because, type };
    const withheld = what.kind === 'owned' ? await withheldFrom(line, traffic, what) : undefined;
    return withheld ?? { data: await line.write(shown(what, traffic), data.length) };
  } catch (error) {
    const { reason } = refusalOf(line, error);
    return { because: reason === 'internal-error' ? 'undeliverable' : 'malformed', type };
  }
};

type Listed = Exclude<DeliveredMessage, { kind: 'drop' }>;

/** The message as the client sees it, changed in place. */
const shown = ({ value, rule }: Listed, traffic: Traffic): JsonObject => {
  const principal = traffic.principal();
  return rule.operations.reduce<JsonValue>(
    (changed, operation) => operation(changed, principal?.owner, principal),
    value,
  ) as JsonObject;
};

type Owned = Extract<DeliveredMessage, { kind: 'owned' }>;

/** Undefined when all of the message is the connection's own owner's, and what it teaches has been learned. */
const withheldFrom = async (line: Line, traffic: Traffic, what: Owned): Promise<Withheld | undefined> => {
  const { type, owner: first, agree, learn } = what;
  const refs = [first, ...agree];
  const owners = await patiently(line, () => line.ownersOf(refs));
  if (owners === undefined) return { because: 'ledger-unavailable', type };
  const [owner, ...others] = owners;
  if (owner === undefined) return { because: 'unknown-owner', type };
  if (owner !== traffic.principal()?.owner) return { because: 'not-theirs', type };
  const refused = (reason: 'event-disagrees' | 'learn-conflict'): Withheld => {
    const rejection = new Rejection(reason, `message of type ${type}`);
    return { because: reason, type, refusal: { rejection, resources: [...refs, ...learn] } };
  };
  if (!agree.every((_, index) => others[index] === owner)) return refused('event-disagrees');
  for (const ref of learn) {
    const outcome = await patiently(line, () => line.learn(ref, first, owner));
    if (outcome === undefined) return { because: 'ledger-unavailable', type };
    if (outcome === 'conflict') return refused('learn-conflict');
  }
  return undefined;
};
