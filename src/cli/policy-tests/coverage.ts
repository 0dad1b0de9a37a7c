/** What of a policy the tests have seen at work: its routes with all their words, its events, its refusals. */
import { REDACTED } from '../../model/change-at.ts';
import type { EventRule, EventTypeRule, UpstreamEvent } from '../../model/event.ts';
import { valuesAt } from '../../model/field-path.ts';
import type { FieldPath } from '../../model/json.ts';
import type { Policy } from '../../model/policy.ts';
import type { ReasonCode } from '../../model/reason.ts';
import type { RoutePlace } from '../../policy/places.ts';
import type { Heard } from '../rehearsal/hearing.ts';
import { shortest } from '../settings.ts';
import { type Point, pointsOf } from './coverage-points.ts';
import type { LoadedTests } from './load.ts';
import type { Witness } from './run.ts';
import { watching } from './watched-policy.ts';

/** How much of one kind of thing was seen, and what was not. */
export interface Share {
  readonly what: 'routes' | 'operations' | 'events' | 'reasons';
  readonly seen: number;
  readonly of: number;
  /** Where it is written, and what it is. */
  readonly missing: readonly string[];
}

export interface Coverage {
  readonly witness: Witness;
  /** The policy to test with: it tells what its operations did. */
  readonly policy: Policy;
  /** Returns what was seen so far. */
  shares(): readonly Share[];
}

/** What every policy can refuse with. */
const ALWAYS: readonly ReasonCode[] = ['route-unknown', 'token-missing'];

/** Returns a coverage that has seen nothing. */
export const coverage = ({ policy, places }: Pick<LoadedTests, 'policy' | 'places'>): Coverage => {
  const watched = watching(policy, places);
  const rows = [...places.values()].map((place) => ({ place, points: pointsOf(place.written, policy.resources) }));
  const events = eventPoints(policy);
  const reasons = new Set([...ALWAYS, ...rows.flatMap(({ points }) => points.flatMap((point) => point.reasons))]);
  const met = new Set<unknown>();

  return {
    policy: watched.policy,
    witness: {
      sawRequest(rehearsed) {
        met.add(rehearsed.record.reason);
        const seen = { rehearsed, touched: watched.taken() };
        const row = rows.find(({ place }) => place.written.id === rehearsed.record.route);
        for (const point of row?.points ?? []) if (point.met(seen)) met.add(point);
      },
      sawEvent(event, heard) {
        for (const point of events) if (point.met(event, heard)) met.add(point);
      },
    },
    shares: () => [
      share(
        'routes',
        rows.flatMap(({ place, points }) => told(place, points.slice(0, 1))),
        met,
      ),
      share(
        'operations',
        rows.flatMap(({ place, points }) => told(place, points.slice(1))),
        met,
      ),
      share(
        'events',
        events.map((point) => ({ key: point, label: point.label })),
        met,
      ),
      share(
        'reasons',
        [...reasons].map((reason) => ({ key: reason, label: reason })),
        met,
      ),
    ],
  };
};

interface Labelled {
  readonly key: unknown;
  readonly label: string;
}

const told = ({ file, line, written }: RoutePlace, points: readonly Point[]): Labelled[] =>
  points.map((point) => ({ key: point, label: `${shortest(file)}:${line}: ${written.id}: ${point.word}` }));

const share = (what: Share['what'], all: readonly Labelled[], met: ReadonlySet<unknown>): Share => {
  const missing = all.filter(({ key }) => !met.has(key)).map(({ label }) => label);
  return { what, seen: all.length - missing.length, of: all.length, missing };
};

interface EventPoint {
  readonly label: string;
  readonly met: (event: UpstreamEvent, heard: Heard) => boolean;
}

const eventPoints = ({ sockets }: Policy): readonly EventPoint[] =>
  sockets.flatMap(({ deliver }) => [...deliver.values()].flatMap(pointsOfRule));

const pointsOfRule = (rule: EventRule): EventPoint[] => {
  const { name, agree, relativeUrls, types, typePath, cancel } = rule;
  const point = (word: string, met: EventPoint['met']): EventPoint => ({
    label: `${name}: ${word}`,
    met: (event, heard) => event.name === name && met(event, heard),
  });
  const ofType = (type: string, event: UpstreamEvent): boolean => valuesAt(event.payload, typePath)[0] === type;
  return [
    ...[...types].flatMap(([type, written]) =>
      pointsOfType(written).map(({ word, met }) =>
        point(`${type}${word}`, (event, heard) => ofType(type, event) && met(event, heard)),
      ),
    ),
    ...(agree.length === 0 ? [] : [point('agree', (_, { dropped }) => dropped === 'event-disagrees')]),
    ...(relativeUrls ? [point('relative', isChanged)] : []),
    ...(cancel === undefined ? [] : [point('cancel', (_, { cancelled }) => cancelled.length > 0)]),
  ];
};

interface TypePoint {
  /** Put after the name of the type. */
  readonly word: string;
  readonly met: EventPoint['met'];
}

const pointsOfType = ({
  learn,
  endsRun,
  pending,
  settled,
  opens,
  redact = [],
}: EventTypeRule): readonly TypePoint[] => {
  const all: ReadonlyArray<TypePoint & { readonly is: boolean }> = [
    { is: true, word: '', met: (_, { delivered }) => delivered.length > 0 },
    { is: learn.length > 0, word: ' learn', met: (_, { learned }) => learned.length > 0 },
    { is: endsRun, word: ' ends-run', met: (_, { ended }) => ended.length > 0 },
    { is: pending !== undefined, word: ' pending', met: (_, heard) => heard.pending.length > 0 },
    { is: settled !== undefined, word: ' settled', met: (_, heard) => heard.settled.length > 0 },
    { is: opens !== undefined, word: ' opens', met: (_, { stopped }) => stopped !== undefined },
    { is: redact.length > 0, word: ' redact', met: (event, heard) => isRedacted(event, heard, redact) },
  ];
  return all.filter(({ is }) => is);
};

const isChanged = ({ payload }: UpstreamEvent, { delivered: [first] }: Heard): boolean =>
  first !== undefined && JSON.stringify(first.payload) !== JSON.stringify(payload);

const isRedacted = ({ payload }: UpstreamEvent, { delivered: [first] }: Heard, places: readonly FieldPath[]): boolean =>
  first !== undefined &&
  places.some((place) => valuesAt(payload, place).length > 0 && valuesAt(first.payload, place).includes(REDACTED));
