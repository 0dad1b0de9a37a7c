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
  /** After a reading, failed or not, unknown key ids cause no other one for so long. */
  readonly cooldownMillis: number;
  /** The last good keys are used for so long while no reading succeeds. */
  readonly staleMillis: number;
}

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

/** Returns the key set of an issuer whose keys are public; nothing is read before `start` or the first `find`. */
export const keySet = (options: KeySetOptions): KeySet => {
  const { issuer, source, times, now, notice } = options;
  const keys = shelf(options);
  const stop = new AbortController();
  let goodUntilMillis = Number.NEGATIVE_INFINITY;
  let restUntilMillis = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let reading: Promise<void> | undefined;
  const timer = schedule(times, () => void refresh());

  const read = async (): Promise<void> => {
    try {
      await keys.replace(await source.read(stop.signal));
      goodUntilMillis = now() + times.staleMillis;
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!stop.signal.aborted) notice({ issuer, kind: 'keys-failed', detail: explain(error) });
    }
    reading = undefined;
    restUntilMillis = now() + times.cooldownMillis;
    if (!stop.signal.aborted) timer.next(failures);
  };
  const refresh = (): Promise<void> => {
    reading ??= read();
    return reading;
  };
  const fresh = (): boolean => now() < goodUntilMillis;
  // A clock that was set back must not make the rest longer than it was meant to be.
  const resting = (): boolean => now() < restUntilMillis && now() >= restUntilMillis - times.cooldownMillis;

  const findAfterReading = async (algorithm: string, kid: string | undefined): Promise<VerificationKey> => {
    if (!stop.signal.aborted && (reading !== undefined || !resting())) await refresh();
    const document = keys.document();
    const found = fresh() ? select(document, algorithm, kid) : undefined;
    if (found !== undefined) return found;
    // While the issuer cannot be asked, the name may be that of a key which is merely newer than ours: not the
    // caller's fault, so never a 401.
    if (failures > 0 || !fresh() || document.keys.length === 0) {
      throw keysUnavailable(`the keys of ${issuer} cannot be had`, times.cooldownMillis);
    }
    throw refusal('token-key-unknown', kid === undefined ? 'no key fits' : `there is no key ${quoted(kid)}`);
  };

  return {
    find(algorithm, kid) {
      const found = fresh() ? select(keys.document(), algorithm, kid) : undefined;
      return found ?? findAfterReading(algorithm, kid);
    },
    current: () => fresh() && keys.document().keys.length > 0,
    start: () => void refresh(),
    close() {
      stop.abort();
      timer.stop();
    },
  };
};
