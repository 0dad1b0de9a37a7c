/**
 * The keys of one issuer over time. They are read in the background, the last good ones are kept while the issuer
 * cannot be reached, and an unknown key id has them read again at most once in a while, whoever sends it.
 */
import { webcrypto } from 'node:crypto';
import { keysUnavailable, quoted, refusal } from './challenge.ts';
import { type KeyDocument, readKeyDocument, type VerificationKey } from './jwk.ts';

/** The port to the place of a JWK set. */
export interface KeySource {
  /** Returns the whole document, or rejects; never returns more than a bounded number of bytes. */
  read(signal: AbortSignal): Promise<Uint8Array>;
}

/** What an operator should hear of an issuer's keys. Must not throw. */
export interface KeyNotice {
  /** The issuer's alias. */
  readonly issuer: string;
  readonly kind: 'keys-changed' | 'keys-skipped' | 'keys-failed';
  readonly detail: string;
}

export interface KeyTimes {
  /** Between two readings in the background, give or take a fifth. */
  readonly refreshMillis: number;
  /** Unknown key ids cause one reading in so long; none for so long after any that failed. */
  readonly cooldownMillis: number;
  /** The last good keys are used for so long while no reading succeeds. */
  readonly staleMillis: number;
}

export const KEY_TIMES: KeyTimes = { refreshMillis: 300_000, cooldownMillis: 30_000, staleMillis: 43_200_000 };

export interface KeySet {
  /**
   * Returns the key for an algorithm and a key id, as a promise where they must be read first. Throws or rejects with
   * a Rejection: token-key-unknown, token-key-weak, token-algorithm or keys-unavailable.
   */
  find(algorithm: string, kid: string | undefined): VerificationKey | Promise<VerificationKey>;
  /** Returns whether there are keys that are not too old to be relied on. */
  current(): boolean;
  start(): void;
  close(): void;
}

export interface KeySetOptions {
  readonly issuer: string;
  readonly algorithms: readonly string[];
  readonly source: KeySource;
  readonly times: KeyTimes;
  readonly now: () => number;
  readonly notice: (notice: KeyNotice) => void;
}

/** An HMAC secret has one handle and never changes while the process runs. */
export const secretKeySet = (secret: string): KeySet => {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = webcrypto.subtle.importKey('raw', Buffer.from(secret), algorithm, false, ['verify']);
  const key = imported.then((handle): VerificationKey => {
    return { id: undefined, identity: 'secret', handles: new Map([['HS256', handle]]), retired: false };
  });
  return { find: () => key, current: () => true, start: () => undefined, close: () => undefined };
};

/** Returns the one key that is meant, undefined when there is none of that name, or throws a Rejection. */
const select = (document: KeyDocument, algorithm: string, kid: string | undefined): VerificationKey | undefined => {
  if (kid === undefined) {
    const fitting = document.keys.filter((key) => key.handles.has(algorithm));
    if (fitting.length > 1) throw refusal('token-key-unknown', 'the token names no key, and several would fit');
    return fitting[0];
  }
  const key = document.byId.get(kid);
  if (key === undefined) {
    if (document.weakIds.has(kid)) throw refusal('token-key-weak', `the key ${quoted(kid)} is too weak`);
    return undefined;
  }
  if (!key.handles.has(algorithm)) throw refusal('token-algorithm', `the key ${quoted(kid)} is not for ${algorithm}`);
  return key;
};

const describe = (document: KeyDocument): string =>
  `${document.keys.length} usable: ${document.keys.map((key) => quoted(key.id ?? '')).join(', ')}`;

/** The message and, as fetch says what went wrong in its cause only, that of the cause. */
const explain = (error: unknown): string => {
  if (!(error instanceof Error)) return 'the keys could not be read';
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
};

/** Holds the last good document, and retires what the next one no longer names. */
const shelf = ({ issuer, algorithms, notice }: KeySetOptions) => {
  let held: KeyDocument = { keys: [], byId: new Map(), weakIds: new Set(), skipped: [] };
  let said = '';
  return {
    document: () => held,
    async replace(bytes: Uint8Array): Promise<void> {
      const next = await readKeyDocument(bytes, algorithms, held.keys);
      const kept = new Set(next.keys);
      const changed = next.keys.length !== held.keys.length || held.keys.some((key) => !kept.has(key));
      for (const key of held.keys) if (!kept.has(key)) key.retired = true;
      held = next;
      if (changed) notice({ issuer, kind: 'keys-changed', detail: describe(next) });
      const skipped = next.skipped.join('; ');
      if (skipped !== said && skipped !== '') notice({ issuer, kind: 'keys-skipped', detail: skipped });
      said = skipped;
    },
  };
};

/** Runs `read` now and then: at the interval after a success, sooner but ever more slowly after failures. */
const schedule = (times: KeyTimes, read: () => void) => {
  let timer: NodeJS.Timeout | undefined;
  return {
    next(failures: number): void {
      clearTimeout(timer);
      const backOff = times.cooldownMillis * 2 ** Math.min(failures - 1, 16);
      const delay = failures === 0 ? times.refreshMillis : Math.min(times.refreshMillis, backOff);
      // Replicas that started together must not ask the issuer together for ever.
      timer = setTimeout(read, delay * (0.8 + 0.4 * Math.random())).unref();
    },
    stop: () => clearTimeout(timer),
  };
};

/** A pause that holds for so long once it has begun. */
const pauses = (millis: number, now: () => number) => {
  let untilMillis = Number.NEGATIVE_INFINITY;
  return {
    begin(): void {
      untilMillis = now() + millis;
    },
    // A clock that was set back must not make it longer than it was meant to be.
    holds: (): boolean => now() < untilMillis && now() >= untilMillis - millis,
  };
};

/** Returns the key set of an issuer whose keys are public; nothing is read before `start` or the first `find`. */
export const keySet = (options: KeySetOptions): KeySet => {
  const { issuer, source, times, now, notice } = options;
  const keys = shelf(options);
  const rest = pauses(times.cooldownMillis, now);
  const stop = new AbortController();
  let goodUntilMillis = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let reading: Promise<void> | undefined;
  const timer = schedule(times, () => void refresh(false));

  const read = async (isAsked: boolean): Promise<void> => {
    let failed = false;
    try {
      await keys.replace(await source.read(stop.signal));
      goodUntilMillis = now() + times.staleMillis;
      failures = 0;
    } catch (error) {
      failures += 1;
      failed = true;
      if (!stop.signal.aborted) notice({ issuer, kind: 'keys-failed', detail: explain(error) });
    }
    reading = undefined;
    // A reading in the background uses up nobody's turn: the key that an issuer signs with from this moment on is found
    // by the first token that names it.
    if (isAsked || failed) rest.begin();
    if (!stop.signal.aborted) timer.next(failures);
  };
  const refresh = (isAsked: boolean): Promise<void> => {
    reading ??= read(isAsked);
    return reading;
  };
  const fresh = (): boolean => now() < goodUntilMillis;
  const selected = (algorithm: string, kid: string | undefined): VerificationKey | undefined =>
    fresh() ? select(keys.document(), algorithm, kid) : undefined;

  const findAfterReading = async (algorithm: string, kid: string | undefined): Promise<VerificationKey> => {
    // The one that is under way may have begun before the key was published.
    if (reading !== undefined) await reading;
    if (selected(algorithm, kid) === undefined && !stop.signal.aborted && !rest.holds()) await refresh(true);
    const found = selected(algorithm, kid);
    if (found !== undefined) return found;
    // While the issuer cannot be asked, the name may be that of a key which is merely newer than ours: not the
    // caller's fault, so never a 401.
    if (failures > 0 || !fresh() || keys.document().keys.length === 0) {
      throw keysUnavailable(`the keys of ${issuer} cannot be had`, times.cooldownMillis);
    }
    throw refusal('token-key-unknown', kid === undefined ? 'no key fits' : `there is no key ${quoted(kid)}`);
  };

  return {
    find: (algorithm, kid) => selected(algorithm, kid) ?? findAfterReading(algorithm, kid),
    current: () => fresh() && keys.document().keys.length > 0,
    start: () => void refresh(false),
    close() {
      stop.abort();
      timer.stop();
    },
  };
};
