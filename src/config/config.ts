/** How this process is wired, resolved: paths are absolute, times are milliseconds unless a name says otherwise. */
import type { IssuerSettings } from '../authn/issuer.ts';
import type { LogLevel } from '../telemetry/log.ts';

export interface Config {
  /** The file that it was read from. */
  readonly file: string;
  /** The public listener. */
  readonly listen: {
    readonly host: string;
    /** 0 is any free port. */
    readonly port: number;
    /** The Host names that are served; undefined: all. */
    readonly hosts: readonly string[] | undefined;
    /** CIDRs of proxies whose forwarding headers are believed. */
    readonly trustedProxies: readonly string[];
    /** Scheme and host under which browsers know the gateway; undefined: as each request says. */
    readonly url: string | undefined;
    /** Further origins whose pages may use the gateway. */
    readonly origins: readonly string[];
  };
  readonly admin: { readonly host: string; readonly port: number };
  readonly upstream: {
    /** Scheme, host and port, without a slash at the end. */
    readonly url: string;
    /** Undefined: requests to the upstream carry no signed word of who is calling. */
    readonly assertion: AssertionSettings | undefined;
  };
  readonly issuers: readonly IssuerSettings[];
  readonly ledger: { readonly sqlite: string };
  /** The URL may hold a password: never print it. */
  readonly redis: { readonly url: string } | undefined;
  /** What clients may have open and send on the policy's socket. */
  readonly sockets: SocketLimits;
  readonly sessions: SessionSettings;
  readonly policies: readonly string[];
  readonly audit: { readonly file: string } | undefined;
  readonly log: { readonly level: LogLevel };
}

export interface SocketLimits {
  /** Sockets that one user may have open. */
  readonly perUser: number;
  readonly perAddress: number;
  /** What one socket may send: sustained, and at once. */
  readonly packetsPerSecond: number;
  readonly burst: number;
  /** What may wait for one socket whose client does not read. */
  readonly waitingBytes: number;
  /** The time in which a client that has opened a socket must say who it is. */
  readonly connectMillis: number;
}

/** The sessions of those who log in with a browser. */
export interface SessionSettings {
  /** Unused for so long, a session ends. */
  readonly idleMillis: number;
  /** However much it is used, it ends after this time. */
  readonly lifetimeMillis: number;
  readonly store: 'ledger' | 'redis';
  /**
   * What seals the provider's tokens, and what browsers carry of a login: the first one seals, all of them open. Empty: a
   * secret of its own, in a file beside the ledger.
   */
  readonly secrets: readonly string[];
}

/** The signed word about each request, for an upstream that wants to verify that it came through the gateway. */
export interface AssertionSettings {
  /** The header's name, in lower case. */
  readonly header: string;
  readonly algorithm: 'ES256' | 'EdDSA';
  readonly audience: string;
  /** How long one holds, in milliseconds. */
  readonly lifetimeMillis: number;
  /** After this time another key signs. */
  readonly rotateMillis: number;
}
