/** What became of a request or an event, in the words of a test file: what expectations and golden files hold it against. */
import { resourceKey } from '../../model/resource.ts';
import { findingWords } from '../finding-words.ts';
import type { Heard } from '../rehearsal/hearing.ts';
import type { Rehearsed } from '../rehearsal/rehearsal.ts';
import { headersOf } from '../rehearsal/reply.ts';

/** A body: JSON where it is some, else text. */
type Body = { readonly json: unknown } | { readonly text: string };

type Message<T> = T & { readonly headers: Readonly<Record<string, string>> } & Partial<Body>;

export interface RequestOutcome {
  readonly decision: string;
  readonly route: string | null;
  readonly forwarded: Message<{ readonly target: string }> | null;
  readonly shown: Message<{ readonly status: number }>;
  readonly claims: readonly string[];
  readonly releases: readonly string[];
  readonly learned: readonly string[];
  /** In shadow, what the policy would have done. */
  readonly would: readonly string[];
}

export interface EventOutcome {
  /** The owners. */
  readonly heard: readonly string[];
  readonly payload: unknown;
  readonly dropped: string | null;
  readonly learned: readonly string[];
  readonly ended: readonly string[];
  /** The calls that wait from now on, and those that wait no longer. */
  readonly pending: readonly string[];
  readonly settled: readonly string[];
  /** Why its run was stopped, and what the server was asked for to end it. */
  readonly stopped: string | null;
  readonly cancelled: readonly string[];
}

/** Returns the outcome of a request. */
export const requestOutcome = ({ record, forwarded, shown, releases, learned }: Rehearsed): RequestOutcome => ({
  decision: record.reason ?? 'allowed',
  route: record.route ?? null,
  forwarded:
    forwarded === undefined
      ? null
      : {
          target: `${forwarded.method} ${forwarded.target}`,
          headers: headersOf(forwarded.headers),
          ...read(forwarded.body),
        },
  shown: { status: shown.status, headers: shown.headers, ...read(shown.body) },
  claims: record.claims.map(resourceKey),
  releases: releases.map(resourceKey),
  learned: learned.map(resourceKey),
  would: (record.findings ?? []).map(findingWords),
});

/** Returns the outcome of an event. */
export const eventOutcome = ({ delivered, dropped, learned, ended, stopped, ...heard }: Heard): EventOutcome => ({
  heard: delivered.map(({ owner }) => owner),
  payload: delivered[0]?.payload ?? null,
  dropped: dropped ?? null,
  learned: learned.map(resourceKey),
  ended: ended.map(resourceKey),
  pending: heard.pending,
  settled: heard.settled,
  stopped: stopped ?? null,
  cancelled: heard.cancelled,
});

const read = (bytes: Buffer | undefined): Partial<Body> => {
  if (bytes === undefined || bytes.length === 0) return {};
  const text = bytes.toString('utf8');
  try {
    return { json: JSON.parse(text) };
  } catch {
    // Not JSON: then it is told as it stands.
    return { text };
  }
};
