/** What all sockets of a process have heard: whether it was theirs, in order and once, and how long it took. */
import { createHistogram, type Histogram } from './histogram.ts';
import { createSequence, type Sequence } from './sequence.ts';
import { EVENT_NAME, machineMillis, readStamp, sessionOf } from './socket-events.ts';

export interface Heard {
  /** Since the start of the stretch, like all that follows. */
  readonly deliveries: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  /** Of what was sent before the middle of the stretch, and of what was sent after it: it grows with a backlog. */
  readonly halves: readonly [p50Millis: number, p50Millis: number];
  readonly foreign: number;
  readonly doubled: number;
  readonly overtaken: number;
  /** Events that are no events of the bench. */
  readonly unknown: number;
}

/** `own`: each session numbers its events, and a socket hears one session. `everybody`: all hear all, numbered in one. */
export type Scope = 'own' | 'everybody';

export interface Hearing {
  /** Returns the ear of one more socket, a user's. */
  ear(user: number): (name: unknown, payload: unknown) => void;
  /** Begins a stretch. Events that were sent before `middleMillis` are of its first half. */
  begin(middleMillis: number): void;
  heard(): Heard;
  /** Different events that came so far, at all sockets together. */
  taken(): number;
  /** Events that should have come so far when this is how many were sent in each stream. */
  expected(sent: readonly number[]): number;
  lost(sent: readonly number[]): number;
}

interface Stretch {
  readonly middleMillis: number;
  readonly all: Histogram;
  readonly first: Histogram;
  readonly second: Histogram;
  foreign: number;
  doubled: number;
  overtaken: number;
  unknown: number;
}

const stretch = (middleMillis: number): Stretch => ({
  middleMillis,
  all: createHistogram(),
  first: createHistogram(),
  second: createHistogram(),
  foreign: 0,
  doubled: 0,
  overtaken: 0,
  unknown: 0,
});

/** What a server says for itself. */
const NOTICES: ReadonlySet<unknown> = new Set(['connected', 'gateway', 'init_done']);

const isUpdate = (payload: unknown): payload is { session_id: unknown; text: string } =>
  typeof payload === 'object' &&
  payload !== null &&
  'session_id' in payload &&
  typeof Reflect.get(payload, 'text') === 'string';

export const createHearing = (scope: Scope): Hearing => {
  const sockets: Array<{ readonly stream: number; readonly sequence: Sequence }> = [];
  let now = stretch(0);
  const sum = (of: (socket: { stream: number; sequence: Sequence }) => number): number =>
    sockets.reduce((all, socket) => all + of(socket), 0);
  return {
    ear(user) {
      const session = sessionOf(user);
      const sequence = createSequence();
      sockets.push({ stream: scope === 'own' ? user : 0, sequence });
      return (name, payload) => {
        if (name !== EVENT_NAME || !isUpdate(payload)) {
          if (!NOTICES.has(name)) now.unknown += 1;
          return;
        }
        const millis = machineMillis();
        const isForeign = payload.session_id !== session;
        if (isForeign) now.foreign += 1;
        const stamp = readStamp(payload.text);
        now.all.add(millis - stamp.sentMillis);
        (stamp.sentMillis < now.middleMillis ? now.first : now.second).add(millis - stamp.sentMillis);
        // A foreign event is of another stream than this socket's.
        if (isForeign && scope === 'own') return;
        const came = sequence.take(stamp.sequence);
        if (came !== 'in-order') now[came] += 1;
      };
    },
    begin(middleMillis) {
      now = stretch(middleMillis);
    },
    heard: () => ({
      deliveries: now.all.count(),
      p50Millis: now.all.percentile(0.5),
      p99Millis: now.all.percentile(0.99),
      halves: [now.first.percentile(0.5), now.second.percentile(0.5)],
      foreign: now.foreign,
      doubled: now.doubled,
      overtaken: now.overtaken,
      unknown: now.unknown,
    }),
    taken: () => sum(({ sequence }) => sequence.taken),
    expected: (sent) => sum(({ stream }) => sent[stream] ?? 0),
    lost: (sent) => sum(({ stream, sequence }) => sequence.missing(sent[stream] ?? 0)),
  };
};
