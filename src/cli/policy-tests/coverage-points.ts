/** What of a policy can be seen at work: each word of each route, with what must have happened for it to count as tested. */
import type { ReasonCode } from '../../model/reason.ts';
import type { ResourceKind } from '../../model/resource.ts';
import type { ParsedRoute } from '../../policy/schema.ts';
import type { Rehearsed } from '../rehearsal/rehearsal.ts';

/** What was seen of one request on a route. */
export interface Seen {
  readonly rehearsed: Rehearsed;
  /** The places in `rewrite` of the operations that changed or refused the request. */
  readonly touched: ReadonlySet<number>;
}

/** One thing to be seen. */
export interface Point {
  readonly word: string;
  readonly met: (seen: Seen) => boolean;
  /** The refusals of which one must have been seen; none where it is no refusal. */
  readonly reasons: readonly ReasonCode[];
}

type Kinds = ReadonlyMap<string, ResourceKind>;

/** Returns the points of a route, in the order in which a request meets them; the first is the route itself. */
export const pointsOf = (route: ParsedRoute, kinds: Kinds): readonly Point[] => {
  if (route.access === 'denied') return [refused('access: denied', 'route-denied')];
  const { body, filter } = route;
  const parameters = [...route.match.matchAll(/\{([a-z0-9_]+)\}/g)].flatMap(([, name = '']) =>
    kinds.has(name) ? [name] : [],
  );
  return [
    seen('passes', ({ rehearsed }) => rehearsed.record.outcome === 'allowed'),
    ...(route.access === 'user' ? [refused('access: user', 'token-missing')] : []),
    ...(route.roles === undefined ? [] : [refused('roles', 'role-missing')]),
    ...(route.when === undefined ? [] : [refused('when', 'condition-unmet')]),
    ...(route.limits.length === 0 ? [] : [refused('limits', 'rate-limited')]),
    ...(route.run === undefined ? [] : [refused('run', 'runs-limited')]),
    ...(body?.schema === undefined ? [] : [refused('body.schema', 'body-unfit')]),
    ...parameters.map((kind) => refused(`{${kind}}`, 'resource-hidden')),
    ...Object.keys(body?.own ?? {}).map((kind) => refused(`body.own.${kind}`, 'resource-hidden')),
    ...Object.keys(body?.create ?? {}).map((kind) => refused(`body.create.${kind}`, ...taken(kinds.get(kind)))),
    ...Object.keys(body?.claim ?? {}).map((kind) => refused(`body.claim.${kind}`, ...taken(kinds.get(kind)))),
    ...(body?.confirms === undefined ? [] : [refused('body.confirms', 'call-not-pending')]),
    ...(body?.references === undefined ? [] : [refused('body.references', 'reference-foreign')]),
    ...(route.release === undefined ? [] : [seen('release', ({ rehearsed }) => rehearsed.releases.length > 0)]),
    ...route.query.map((name) =>
      seen(`query ${name}`, (one) => one.rehearsed.forwarded?.target.includes(`${name}=`) === true),
    ),
    ...route.rewrite.map(rewritePoint),
    ...forwardToPoint(route),
    ...(route.cache === undefined ? [] : [seen('cache', isServedHere)]),
    ...(route.answer === undefined ? [] : [seen('answer', isServedHere)]),
    ...(route.hidden === undefined ? [] : [refused('hidden', 'resource-hidden')]),
    ...Object.keys(filter ?? {}).flatMap(filterPoint),
  ];
};

const seen = (word: string, met: Point['met']): Point => ({ word, met, reasons: [] });

/** Only what the server is asked about can be there without being anybody's. */
const taken = (kind: ResourceKind | undefined): readonly ReasonCode[] => [
  'resource-taken',
  'resource-deleted',
  ...(kind?.probe === undefined ? [] : (['resource-quarantined'] as const)),
];

const isServedHere = ({ rehearsed }: Seen): boolean =>
  rehearsed.record.outcome === 'allowed' && rehearsed.forwarded === undefined;

const forwardToPoint = ({ 'forward-to': target }: ParsedRoute): Point[] =>
  target === undefined ? [] : [seen('forward-to', ({ rehearsed }) => rehearsed.forwarded?.target === target)];

const refused = (word: string, ...reasons: readonly ReasonCode[]): Point => ({
  word,
  met: ({ rehearsed }) => reasons.some((reason) => reason === rehearsed.record.reason),
  reasons,
});

type Step = ParsedRoute['rewrite'][number];

const REWRITE_REASONS: Readonly<Record<string, readonly ReasonCode[]>> = {
  catalogue: ['catalogue-unknown'],
  inline: ['image-not-inline'],
  'scope-path': ['path-invalid'],
};

const rewritePoint = (step: Step, index: number): Point => {
  const [word = ''] = Object.keys(step);
  const label = `rewrite[${index}] ${word}`;
  // A path in the query is rewritten with the query; there is no operation on the body that could be watched.
  if (word === 'scope-path') return refused(label, 'path-invalid');
  const reasons = 'catalogue' in step && step.catalogue.each ? [] : (REWRITE_REASONS[word] ?? []);
  return { word: label, met: ({ touched }) => touched.has(index), reasons };
};

/** `max` is a bound of the others, not a thing that is done. */
const filterPoint = (word: string): Point[] => {
  if (word === 'max') return [];
  if (word === 'learn') return [seen('filter.learn', ({ rehearsed }) => rehearsed.learned.length > 0)];
  return [seen(`filter.${word}`, ({ rehearsed }) => isChanged(rehearsed))];
};

const isChanged = ({ record, answered, shown }: Rehearsed): boolean =>
  record.outcome === 'allowed' && answered !== undefined && !answered.body.equals(shown.body);
