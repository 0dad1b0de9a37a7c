/** A message of a client: read, judged by its type, held against what its owner owns, written anew. */
import { randomUUID } from 'node:crypto';
import type { WantedClaim } from '../authz/claim.ts';
import type { JsonObject } from '../model/json.ts';
import type { Owner } from '../model/principal.ts';
import { reasons } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import type { NamedResource, SentMessage } from '../realtime/messages.ts';
import { type JudgeMessage, type Line, type Message, refusalOf, type Traffic, type Verdict } from './message-line.ts';

/** Returns the judge of what the client of one connection sends: it remembers how often it has refused. */
export const sentJudge = (line: Line, traffic: Traffic): JudgeMessage => {
  const refuse = refuser(line, traffic);
  return async (message) => {
    const mode = traffic.mode();
    const asItCame = { kind: 'pass', ...message } as const;
    if (mode === 'off') {
      line.count('unfiltered', 'none');
      return asItCame;
    }
    try {
      const { value, settle } = await judged(line, traffic, message);
      line.count(mode === 'enforce' ? 'forwarded' : 'unfiltered', 'none');
      if (mode !== 'enforce') return { ...asItCame, settle };
      return { kind: 'pass', data: await line.write(value, message.data.length), isBinary: false, settle };
    } catch (error) {
      const rejection = refusalOf(line, error);
      if (mode === 'enforce') return refuse(rejection);
      const { reason, message: detail } = rejection;
      line.count('would-refuse', reason);
      traffic.told({ outcome: 'allowed', rejection, resources: [], findings: [{ would: 'deny', reason, detail }] });
      return asItCame;
    }
  };
};

const refuser = (line: Line, traffic: Traffic) => {
  let refused = 0;
  return async (rejection: Rejection): Promise<Verdict> => {
    const { reason, status } = rejection;
    line.count('refused', reason);
    traffic.told({ outcome: status >= 500 ? 'failed' : 'refused', rejection, resources: [], findings: [] });
    if (isFinal(rejection)) return { kind: 'end', rejection };
    // What is our own fault does not count against the client.
    if (status < 500) refused += 1;
    if (refused >= line.maxRefused) {
      return { kind: 'end', rejection: new Rejection('event-refused', 'too many refused messages') };
    }
    const { shownAs: code = reason, message } = reasons[reason];
    return { kind: 'answer', data: await line.write(line.judge(traffic.rules()).notice({ code, message }), 0) };
  };
};

/** Whoever does not write messages at all is not told so by one. */
const isFinal = ({ reason }: Rejection): boolean =>
  reason === 'packet-invalid' || (reasons[reason].stage === 'read' && reason !== 'body-unfit');

interface Judged {
  readonly value: JsonObject;
  readonly settle: ((mayHaveLeft: boolean) => void) | undefined;
}

/** Resolves to what may leave for the upstream, or rejects with nothing claimed. */
const judged = async (line: Line, traffic: Traffic, { data, isBinary }: Message): Promise<Judged> => {
  const rules = traffic.rules();
  if (isBinary) throw new Rejection('body-type', 'a binary message');
  if (data.length > rules.maxBytes) throw tooLarge(data.length, rules.maxBytes);
  const message = line.judge(rules).sent(await line.read(data));
  const { rule, value, named } = message;
  if (data.length > rule.maxBytes) throw tooLarge(data.length, rule.maxBytes);
  if (rule.schema !== undefined) line.conform(value, rule.schema);
  if (named.length === 0) return { value, settle: undefined };
  const owner = traffic.principal()?.owner;
  if (owner === undefined) throw new Rejection('token-missing', 'resources are named, but nobody is known');
  await checkOwn(line, named, owner);
  return { value, settle: await claimed(line, traffic, { message, owner }) };
};

const tooLarge = (bytes: number, most: number): Rejection =>
  new Rejection('body-too-large', `a message of ${bytes} bytes, ${most} allowed`);

const checkOwn = async (line: Line, named: readonly NamedResource[], owner: Owner): Promise<void> => {
  const own = named.filter(({ use }) => use.verb === 'own').map(({ ref }) => ref);
  if (own.length === 0) return;
  const owners = await line.ownersOf(own);
  for (const [index, { kind, id }] of own.entries()) {
    const whose = owners[index];
    if (whose === owner) continue;
    throw new Rejection('resource-hidden', `${kind}:${id} is ${whose === undefined ? 'nobody’s' : 'another owner’s'}`);
  }
};

/** Nobody learns what a message has brought about, so a claim stays its owner's once the message may have left. */
const claimed = async (
  line: Line,
  traffic: Traffic,
  { message, owner }: { readonly message: SentMessage; readonly owner: Owner },
): Promise<Judged['settle']> => {
  const wanted = wantedClaims(message.named, traffic);
  if (wanted.length === 0) return undefined;
  const id = randomUUID();
  const refs = await line.claims.take(wanted, owner, id);
  return (mayHaveLeft) => {
    line.claims
      .settle(refs, id, mayHaveLeft ? 'unknown' : 'undone')
      .catch((error: unknown) => line.report(error, 'a claim could not be settled'));
  };
};

const wantedClaims = (named: readonly NamedResource[], { resources, mode }: Traffic): WantedClaim[] => {
  const refs = [...named.map(({ ref }) => ref), ...resources];
  const wanted: WantedClaim[] = [];
  for (const { use, ref } of named) {
    const { verb, kind } = use;
    // Where nothing is refused, what cannot be told from older data is not given to the first comer.
    if (verb === 'own' || (mode() !== 'enforce' && kind.probe === undefined)) continue;
    wanted.push({ ref, verb, kind, parent: refs.find((other) => other.kind === kind.parent) });
  }
  return wanted;
};
