/** The rows of the group `sockets`: what a sample says, what all samples of a row say together, and what none may say. */
import { median } from './rounds.ts';
import type { Opening, Stretch } from './socket-field.ts';

/** What is counted in all rounds; the rest are their medians. */
interface Counts {
  /** Events that were checked, at all sockets together. */
  readonly deliveries: number;
  /** Of sessions that are not of the socket's user. */
  readonly foreignDeliveries: number;
  readonly lost: number;
  readonly doubled: number;
  readonly overtaken: number;
  /** Events that nobody sent. */
  readonly unknown: number;
}

export interface SocketSample extends Opening, Counts {
  readonly eventsPerSecond: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  /** Of the contender's whole process, heartbeats included. */
  readonly cpuMicrosPerEvent: number;
  /** When all events are of the same few users, however many others are connected. */
  readonly cpuMicrosPerEventOfFew: number | undefined;
  readonly cpuMicrosPerDelivery: number;
  /** What it takes in a second when nothing is sent; taken in the first round. */
  readonly restingMicrosPerSecond: number | undefined;
  /** The share of the time in which the contender's main thread was ready and its core did something else. */
  readonly waitedShare: number;
  /** With the events behind it. */
  readonly heldKilobytesPerSocketAfter: number;
}

export interface SocketRow extends SocketSample {
  readonly name: string;
  readonly sockets: number;
}

export interface Measured {
  readonly opening: Opening;
  readonly restingMicrosPerSecond: number | undefined;
  /** Whose deliveries are checked and not timed. */
  readonly warmUp: Stretch;
  readonly stretch: Stretch;
  /** Of which the costs count, and not the times. */
  readonly few: Stretch | undefined;
  readonly heldKilobytesPerSocketAfter: number;
}

const MAX_P99_MILLIS = 50;
const MAX_KILOBYTES_PER_SOCKET = 40;

export const sampleOf = ({ opening, warmUp, stretch, few, ...more }: Measured): SocketSample => {
  const { heard, events, eventsPerSecond, cpuMicros, waitedShare } = stretch;
  const stretches = [warmUp, stretch, ...(few === undefined ? [] : [few])];
  const sum = (of: (heard: Stretch['heard']) => number): number =>
    stretches.reduce((all, each) => all + of(each.heard), 0);
  return {
    ...opening,
    ...more,
    eventsPerSecond,
    p50Millis: heard.p50Millis,
    p99Millis: heard.p99Millis,
    cpuMicrosPerEvent: cpuMicros / events,
    cpuMicrosPerEventOfFew: few && few.cpuMicros / few.events,
    cpuMicrosPerDelivery: cpuMicros / heard.deliveries,
    waitedShare,
    deliveries: sum(({ deliveries }) => deliveries),
    foreignDeliveries: sum(({ foreign }) => foreign),
    // Each stretch tells of all since the sockets were opened.
    lost: stretches.at(-1)?.lost ?? 0,
    doubled: sum(({ doubled }) => doubled),
    overtaken: sum(({ overtaken }) => overtaken),
    unknown: sum(({ unknown }) => unknown),
  };
};

/** Returns the middle of what is known, undefined when nothing is. */
const medianOfKnown = (values: ReadonlyArray<number | undefined>): number | undefined => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : median(known);
};

export const rowOf = (name: string, sockets: number, samples: readonly SocketSample[]): SocketRow => {
  const middle = (of: (sample: SocketSample) => number): number => median(samples.map(of));
  const sum = (of: (sample: SocketSample) => number): number => samples.reduce((all, sample) => all + of(sample), 0);
  return {
    name,
    sockets,
    eventsPerSecond: middle((sample) => sample.eventsPerSecond),
    p50Millis: middle((sample) => sample.p50Millis),
    p99Millis: middle((sample) => sample.p99Millis),
    cpuMicrosPerEvent: middle((sample) => sample.cpuMicrosPerEvent),
    cpuMicrosPerEventOfFew: medianOfKnown(samples.map((sample) => sample.cpuMicrosPerEventOfFew)),
    cpuMicrosPerDelivery: middle((sample) => sample.cpuMicrosPerDelivery),
    restingMicrosPerSecond: medianOfKnown(samples.map((sample) => sample.restingMicrosPerSecond)),
    waitedShare: middle((sample) => sample.waitedShare),
    kilobytesPerSocket: middle((sample) => sample.kilobytesPerSocket),
    heldKilobytesPerSocket: middle((sample) => sample.heldKilobytesPerSocket),
    heldKilobytesPerSocketAfter: middle((sample) => sample.heldKilobytesPerSocketAfter),
    connectsPerSecond: middle((sample) => sample.connectsPerSecond),
    cpuMicrosPerConnect: middle((sample) => sample.cpuMicrosPerConnect),
    deliveries: sum((sample) => sample.deliveries),
    foreignDeliveries: sum((sample) => sample.foreignDeliveries),
    lost: sum((sample) => sample.lost),
    doubled: sum((sample) => sample.doubled),
    overtaken: sum((sample) => sample.overtaken),
    unknown: sum((sample) => sample.unknown),
  };
};

/** Returns what a row of the gateway may not say. */
export const faultsOf = (row: SocketRow): string[] => {
  const { name, foreignDeliveries, lost, doubled, overtaken, unknown, p99Millis, kilobytesPerSocket } = row;
  const faults: string[] = [];
  for (const [what, count] of Object.entries({ foreignDeliveries, lost, doubled, overtaken, unknown }))
    if (count > 0) faults.push(`${name} (${what} ${count})`);
  if (p99Millis > MAX_P99_MILLIS) faults.push(`${name} (p99 over ${MAX_P99_MILLIS} ms)`);
  if (kilobytesPerSocket > MAX_KILOBYTES_PER_SOCKET)
    faults.push(`${name} (over ${MAX_KILOBYTES_PER_SOCKET} kB a socket)`);
  return faults;
};
