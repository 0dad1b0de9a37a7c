/** Whose is a token? One of another kind is its own reader's affair; every other is a JSON Web Token of an issuer. */
import { hash } from 'node:crypto';
import type { Principal } from '../model/principal.ts';
import { refusal } from './challenge.ts';
import { checkIssuers, type IssuerSettings, type KeyPlace } from './issuer.ts';
import { MAX_TOKEN_LENGTH, tokenVerifier } from './jwt.ts';
import { KEY_TIMES, type KeyNotice, type KeySet, type KeySource, type KeyTimes, keySet, secretKeySet } from './keys.ts';
import { together } from './together.ts';
import { verdicts } from './verdicts.ts';

/** Reads one kind of token. */
export interface TokenReader {
  /** Whether a token is of this kind, by its form alone. */
  reads(token: string): boolean;
  /** Returns whose it is, or throws or rejects with a Rejection. `address`: who shows it. */
  verify(token: string, address?: string): Principal | Promise<Principal>;
  /**
   * Returns the principal as it is by now; undefined when its authority is over, or when nobody can say that it goes on. Asked
   * of a principal that it gave.
   */
  prolong?(principal: Principal): Principal | undefined | Promise<Principal | undefined>;
}

export interface TokenOptions {
  readonly issuers: readonly IssuerSettings[];
  /** Opens the place of an issuer's public keys. */
  readonly source: (place: Exclude<KeyPlace, { secret: string }>) => KeySource;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  /** How many verified tokens are remembered at most; 0: none. */
  readonly remembered?: number;
  readonly keyTimes?: Partial<KeyTimes>;
  /** Readers of tokens that are no JSON Web Tokens, asked in their order. */
  readonly readers?: readonly TokenReader[];
  readonly notice?: (notice: KeyNotice) => void;
}

/** What does not know of revocations: `Authenticator` does. */
export interface Tokens {
  /** Returns whose a token is, or throws or rejects with a Rejection. One that was verified before needs no promise. */
  verify(token: string, address?: string): Principal | Promise<Principal>;
  /** Returns the principal as it is by now, where its reader can tell; undefined when its authority is over. */
  prolong(principal: Principal): Principal | undefined | Promise<Principal | undefined>;
  /** True when the authority of a principal is over, as far as can be told at once. */
  isOver(principal: Principal): boolean;
  /** Returns false while an issuer has no usable keys. */
  healthy(): boolean;
  close(): void;
}

const DEFAULT_REMEMBERED = 10_000;

/** Begins to read the issuers' keys, or throws a TypeError when the settings are not usable. */
export const tokens = (options: TokenOptions): Tokens => {
  const { issuers, readers = [], now = Date.now } = options;
  const jwt = webTokens(options);
  const tolerances = new Map(issuers.map(({ name, clockToleranceSeconds }) => [name, clockToleranceSeconds * 1000]));
  /** Of principals that may be prolonged. */
  const readerOf = new WeakMap<Principal, TokenReader>();

  const noted = (reader: TokenReader, principal: Principal): Principal => {
    if (reader.prolong !== undefined && !readerOf.has(principal)) readerOf.set(principal, reader);
    return principal;
  };
  const prolong: Tokens['prolong'] = (principal) => {
    const reader = readerOf.get(principal);
    const renewed = reader?.prolong?.(principal);
    if (reader === undefined || renewed === undefined) return undefined;
    if (!(renewed instanceof Promise)) return noted(reader, renewed);
    return renewed.then((one) => one && noted(reader, one));
  };

  return {
    ...jwt,
    verify(token, address) {
      if (token.length > MAX_TOKEN_LENGTH) throw refusal('token-too-large', 'the token is too long');
      for (const reader of readers) {
        if (!reader.reads(token)) continue;
        const principal = reader.verify(token, address);
        return principal instanceof Promise ? principal.then((one) => noted(reader, one)) : noted(reader, principal);
      }
      return jwt.verify(token);
    },
    prolong,
    isOver(principal) {
      const { issuer, expiresAtMillis } = principal;
      if (now() < expiresAtMillis + (tolerances.get(issuer) ?? 0)) return false;
      const renewed = prolong(principal);
      // Whoever has to ask elsewhere first has asked when the token was shown, and that goes on counting meanwhile.
      if (renewed instanceof Promise) void renewed.catch(() => undefined);
      return renewed === undefined;
    },
  };
};

const webTokens = (options: TokenOptions): Omit<Tokens, 'prolong' | 'isOver'> => {
  const { issuers, now = Date.now, remembered = DEFAULT_REMEMBERED } = options;
  const times = { ...KEY_TIMES, ...options.keyTimes };
  checkIssuers(issuers);
  checkTimes(times);
  if (!Number.isSafeInteger(remembered) || remembered < 0) throw new TypeError('remembered must be a whole number.');
  const opened = issuers.flatMap((settings) =>
    settings.keys === undefined ? [] : [{ settings, keys: openKeys(settings, settings.keys, { options, times }) }],
  );
  const verifyAnew = tokenVerifier(opened, now);
  // Of these issuers and no others: a verdict holds under the settings by which it was reached (CVE-2021-32701,
  // CVE-2026-35039).
  const known = verdicts(remembered, now);
  for (const { keys } of opened) keys.start();
  const verifyTogether = together(async (digest, token: string) => {
    const verdict = await verifyAnew(token);
    known.remember(digest, verdict);
    return verdict.principal;
  });
  return {
    verify(token) {
      const digest = hash('sha256', token, 'base64');
      return known.recall(digest) ?? verifyTogether(digest, token);
    },
    healthy: () => opened.every(({ keys }) => keys.current()),
    close() {
      for (const { keys } of opened) keys.close();
    },
  };
};

const checkTimes = (times: KeyTimes): void => {
  for (const [name, millis] of Object.entries(times)) {
    if (!(millis > 0 && millis < 2 ** 31)) throw new TypeError(`${name} must be a positive number of milliseconds.`);
  }
};

interface Opening {
  readonly options: TokenOptions;
  readonly times: KeyTimes;
}

const openKeys = ({ name, algorithms }: IssuerSettings, keys: KeyPlace, { options, times }: Opening): KeySet => {
  if ('secret' in keys) return secretKeySet(keys.secret);
  return keySet({
    issuer: name,
    algorithms,
    source: options.source(keys),
    times,
    now: options.now ?? Date.now,
    notice: options.notice ?? (() => undefined),
  });
};
