/** One route of the policy and the operation of the upstream that serves it: in what they do not agree. */
import type { ListedRoute } from './lint-warning.ts';
import type { Operation } from './openapi-list.ts';

/** Returns what differs, in words; nothing for a route that is denied or that the gateway answers, for none is forwarded. */
export const changesOf = (listed: ListedRoute, operation: Operation): readonly string[] =>
  listed.route.access === 'denied' || listed.written.answer !== undefined
    ? []
    : COMPARE.flatMap((compare) => compare(listed, operation));

type Compare = (listed: ListedRoute, operation: Operation) => readonly string[];

const pathParameters: Compare = ({ route, written }, { segments, parameters, path }) => {
  const names = path.split('/').slice(1);
  return segments.flatMap((text, index) => {
    const ours = route.segments[index];
    if (text !== undefined || ours === undefined || written['forward-to'] !== undefined) return [];
    const theirs = names[index] ?? '';
    if (ours.kind === 'literal') return [`the upstream has the parameter ${theirs} where the policy has ${ours.text}`];
    const type = parameters.find(({ in: place, name }) => place === 'path' && theirs === `{${name}}`)?.type;
    const isKind = ours.kind === 'parameter' && route.uses.some(({ at }) => at.in === 'path' && at.name === ours.name);
    if (!isKind || type === undefined || type === 'string') return [];
    return [`the upstream reads ${theirs} as ${type}, the policy as the text of an id`];
  });
};

const MEDIA_TYPES = { json: 'application/json', multipart: 'multipart/form-data' } as const;

const bodyKind: Compare = ({ route }, { body }) => {
  if (body === undefined) return [];
  const takes = [...body.fields.keys()];
  if (route.body.kind === 'none') {
    return body.required ? [`the upstream needs a body of ${takes.join(' or ')}, and the policy lets none pass`] : [];
  }
  const ours = MEDIA_TYPES[route.body.kind];
  return body.fields.has(ours) ? [] : [`the upstream takes ${takes.join(' or ')}, and the policy sends ${ours}`];
};

/** A place of an id that the upstream does not read is checked in vain: it reads another one, that nobody checks. */
const bodyFields: Compare = ({ route, written }, { body }) => {
  if (route.body.kind === 'none') return [];
  const theirs = body?.fields.get(MEDIA_TYPES[route.body.kind]);
  if (theirs === undefined) return [];
  const ours =
    route.body.kind === 'multipart' ? [route.body.file] : [...idFields(route), ...sessionOf(written), ...callOf(route)];
  return [...new Set(ours)]
    .filter((field) => !theirs.includes(field))
    .map((field) => `the upstream reads no ${field} from the body, which the policy relies on`);
};

const idFields = ({ uses }: ListedRoute['route']): string[] =>
  uses.flatMap(({ at }) => (at.in === 'body' && typeof at.path[0] === 'string' ? [at.path[0]] : []));

const sessionOf = ({ run }: ListedRoute['written']): string[] => (run === undefined ? [] : [run.session]);

const callOf = ({ confirms }: ListedRoute['route']): string[] =>
  confirms === undefined ? [] : [String(confirms.call[0])];

const query: Compare = ({ route }, { parameters }) => {
  const theirs = parameters.filter(({ in: place }) => place === 'query');
  const unknown = [...route.query].filter((name) => !theirs.some((one) => one.name === name));
  const dropped = theirs.filter(({ name, required }) => required && !route.query.has(name));
  return [
    ...unknown.map((name) => `the upstream knows no query parameter ${name}, which the policy forwards`),
    ...dropped.map(({ name }) => `the upstream needs the query parameter ${name}, which the policy drops`),
  ];
};

const COMPARE: readonly Compare[] = [pathParameters, bodyKind, bodyFields, query];
