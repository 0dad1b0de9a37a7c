/**
 * Opaque tokens: their issuer is asked whose they are (RFC 7662). Its answers are remembered for a short time; that time is
 * also for how long a token that it has taken back is good here, on requests and on open sockets.
 */
import { hash } from 'node:crypto';
import type { Principal } from '../../model/principal.ts';
import { Rejection } from '../../model/rejection.ts';
import { looksLikeApiKey } from '../api-key-text.ts';
import { type BoundedMemory, boundedMemory } from '../bounded-memory.ts';
import { refusal } from '../challenge.ts';
import type { TokenReader } from '../credential-token.ts';
import { type IntrospectionSettings, type IssuerSettings, settingsDigest } from '../issuer.ts';
import { MAX_TOKEN_LENGTH } from '../jwt.ts';
import { together } from '../together.ts';
import { portions, type Turns, turns } from '../turns.ts';
import { answerJudge } from './answer.ts';
import { type AskIssuer, askIssuer } from './request.ts';

export interface IntrospectionNotice {
  /** The issuer's alias. */
  readonly issuer: string;
  readonly kind: 'introspection-failed' | 'introspection-works';
  readonly detail: string;
}

export interface IntrospectionOptions {
  /** Exactly one of them has an introspection: nothing in an opaque token says whom to ask. */
  readonly issuers: readonly IssuerSettings[];
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  /** Hears of each change once. Must not throw. */
  readonly notice?: (notice: IntrospectionNotice) => void;
  /** For one question, and for its turn before it. */
  readonly timeoutMillis?: number;
  /** How many good answers, and as many others, are remembered at most. */
  readonly remembered?: number;
  readonly atOnce?: number;
  /** Of tokens that were not good before; of the others as many may wait as are remembered. */
  readonly waiting?: number;
  /** Of tokens that were not good before: of one address so many take part in that, and as many as above wait for it. */
  readonly perAddress?: number;
}

export interface Introspection extends TokenReader {
  prolong(principal: Principal): Principal | undefined | Promise<Principal | undefined>;
  /** False from a question that was not answered until one that is. */
  healthy(): boolean;
}

/** An answer that a token is not good is remembered for so long at most: it may have been asked about too early. */
const REFUSED_MILLIS = 5000;
const PROVEN_MILLIS = 3_600_000;
const REMEMBERED = 10_000;
/** A question waits for its turn no longer than one may take: behind an issuer that hangs, all who wait end together. */
const PATIENCE_MILLIS = 3000;
const MIN_AGE_MILLIS = 1000;
const MAX_AGE_MILLIS = 300_000;

/** RFC 6750 section 2.1: what a bearer token may consist of. */
const B64TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** Returns the reader of an issuer's opaque tokens, or throws a TypeError when the settings are not usable. */
export const introspection = (options: IntrospectionOptions): Introspection => {
  const { settings, asked } = onlyOne(options.issuers);
  const ask = healthyAsk(settings, asked, options);
  const known = verdictMemory(options);
  const lookUp = lookUps({ settings, asked, ask, known, options });
  const tokens = new WeakMap<Principal, string>();
  const generation = settingsDigest(settings);
  const digestOf = (token: string): string => hash('sha256', generation + token, 'base64');

  const lookUpAndHold = async (token: string, digest: string, address?: string): Promise<Principal> => {
    const principal = await lookUp(digest, { token, address });
    tokens.set(principal, token);
    return principal;
  };

  return {
    reads: isOpaque,
    verify(token, address) {
      if (token.length > MAX_TOKEN_LENGTH) throw refusal('token-too-large', 'the token is too long');
      if (!B64TOKEN.test(token)) throw refusal('token-malformed', 'the token holds a character that none has');
      const digest = digestOf(token);
      const principal = known.good.recall(digest);
      if (principal !== undefined) return principal;
      const refused = known.bad.recall(digest);
      if (refused !== undefined) throw refused;
      return lookUpAndHold(token, digest, address);
    },
    prolong(principal) {
      const token = tokens.get(principal);
      if (token === undefined) return undefined;
      const digest = digestOf(token);
      const latest = known.good.recall(digest);
      if (latest !== undefined && latest !== principal) return ofSameOwner(latest, principal);
      if (latest === undefined && known.bad.recall(digest) !== undefined) return undefined;
      return lookUpAndHold(token, digest).then((later) => ofSameOwner(later, principal), noLonger);
    },
    healthy: ask.healthy,
  };
};

const ofSameOwner = (later: Principal, before: Principal): Principal | undefined =>
  later.owner === before.owner ? later : undefined;

/** Where nobody says any more that a token is good, its authority is over. */
const noLonger = (error: unknown): undefined => {
  if (!(error instanceof Rejection)) throw error;
};

/** What is remembered of tokens, by their digests. */
interface VerdictMemory {
  readonly good: BoundedMemory<Principal>;
  /** On its own, so that a flood of invented tokens drives no good one out. */
  readonly bad: BoundedMemory<Rejection>;
  /** Those that were good not long ago. */
  readonly proven: BoundedMemory<true>;
}

const verdictMemory = ({ now = Date.now, remembered = REMEMBERED }: IntrospectionOptions): VerdictMemory => ({
  good: boundedMemory(remembered, now),
  bad: boundedMemory(remembered, now),
  proven: boundedMemory(remembered, now),
});

interface LookingUp {
  readonly settings: IssuerSettings;
  readonly asked: IntrospectionSettings;
  readonly ask: AskIssuer;
  readonly known: VerdictMemory;
  readonly options: IntrospectionOptions;
}

interface Shown {
  readonly token: string;
  /** Of whoever shows it; undefined where that is not known. */
  readonly address: string | undefined;
}

/** Returns what asks about a token, once for all who show it at the same time, and remembers what it came to. */
const lookUps = ({ settings, asked, ask, known, options }: LookingUp) => {
  const {
    now = Date.now,
    atOnce = 64,
    waiting = 128,
    remembered = REMEMBERED,
    timeoutMillis = PATIENCE_MILLIS,
  } = options;
  const judge = answerJudge(settings);
  const full = () => unavailable('too many tokens are asked about at once', 1);
  const line = (most: number): Turns => turns({ atOnce, waiting: most, refuse: full });
  // A line for each, so that a flood of invented tokens keeps nobody waiting who was let in before. All of those may come in
  // one moment, with sockets that were opened in one.
  const [proven, unproven] = [line(remembered), line(waiting)];
  // Less than what is asked at once: a flood from one address leaves turns that are free.
  const portion = portions({ atOnce: options.perAddress ?? Math.ceil((atOnce * 3) / 4), waiting, refuse: full });
  const inTurn = <T>(digest: string, address: string | undefined, work: () => Promise<T>): Promise<T> => {
    if (known.proven.recall(digest) === true) return proven.take(work);
    return address === undefined ? unproven.take(work) : portion(address, () => unproven.take(work));
  };

  return together(async (digest: string, { token, address }: Shown): Promise<Principal> => {
    const begun = performance.now();
    const { answer, fromMillis } = await inTurn(digest, address, async () => {
      if (performance.now() - begun > timeoutMillis) throw full();
      // Before it is asked: the issuer may take the token back while its answer is on the way.
      const askedAtMillis = now();
      return { answer: await ask(token), fromMillis: askedAtMillis };
    });
    const latestMillis = fromMillis + asked.maxAgeMillis;
    try {
      const principal = judge(answer, now(), latestMillis);
      const toleratedMillis = principal.expiresAtMillis + settings.clockToleranceSeconds * 1000;
      known.bad.forget(digest);
      known.good.remember(digest, principal, { fromMillis, untilMillis: Math.min(latestMillis, toleratedMillis) });
      known.proven.remember(digest, true, { fromMillis, untilMillis: fromMillis + PROVEN_MILLIS });
      return principal;
    } catch (error) {
      known.good.forget(digest);
      known.proven.forget(digest);
      const untilMillis = fromMillis + Math.min(REFUSED_MILLIS, asked.maxAgeMillis);
      if (error instanceof Rejection) known.bad.remember(digest, error, { fromMillis, untilMillis });
      throw error;
    }
  });
};

const onlyOne = (issuers: readonly IssuerSettings[]) => {
  const [found, another] = issuers.flatMap((settings) =>
    settings.introspection === undefined ? [] : [{ settings, asked: settings.introspection }],
  );
  if (found === undefined) throw new TypeError('No issuer has an introspection.');
  if (another !== undefined) throw new TypeError('Two issuers have an introspection, and no token says whom to ask.');
  const { maxAgeMillis } = found.asked;
  if (!(maxAgeMillis >= MIN_AGE_MILLIS && maxAgeMillis <= MAX_AGE_MILLIS))
    throw new TypeError(`maxAgeMillis must be from ${MIN_AGE_MILLIS} to ${MAX_AGE_MILLIS}.`);
  return found;
};

/** A text with two dots in it is a signed token, or is refused as one; an API key is nobody's affair but ours. */
const isOpaque = (token: string): boolean => token.split('.', 4).length !== 3 && !looksLikeApiKey(token);

/** Returns the question, each of whose failures is a Rejection, and whether the last one was answered. */
const healthyAsk = (
  { name, issuer }: IssuerSettings,
  { url, clientId, clientSecret }: IntrospectionSettings,
  { notice = () => undefined, timeoutMillis }: IntrospectionOptions,
): AskIssuer & { healthy(): boolean } => {
  const ask = askIssuer({ issuer, url, clientId, clientSecret, ...(timeoutMillis !== undefined && { timeoutMillis }) });
  let works = true;
  const change = (answered: boolean, detail: string): void => {
    if (answered === works) return;
    works = answered;
    notice({ issuer: name, kind: answered ? 'introspection-works' : 'introspection-failed', detail });
  };
  const asking: AskIssuer = async (token) => {
    try {
      const answer = await ask(token);
      change(true, 'answers again');
      return answer;
    } catch (error) {
      const detail = error instanceof Error ? error.message : 'failed';
      change(false, detail);
      throw unavailable(`the introspection of ${name} ${detail}`, 5);
    }
  };
  return Object.assign(asking, { healthy: () => works });
};

const unavailable = (detail: string, retryAfterSeconds: number): Rejection =>
  new Rejection('introspection-unavailable', detail, { headers: ['Retry-After', String(retryAfterSeconds)] });
