/**
 * Ids that become a user's because the server named them, although a client may have put the name there: the text of a
 * chat comes back in events, and an answer may repeat what was sent. A policy does not say who writes a field, so three
 * signs are looked for: the place is free text, a request names the same place, or clients choose ids of the kind.
 */
import { parseFieldPath } from '../model/field-path.ts';
import { chosenKinds } from './lint-resources.ts';
import { type ListedRoute, listedRoutes, type Spot, type Subject, type Warning, warn } from './lint-warning.ts';
import { learnedInMessages } from './lint-websocket.ts';
import type { Path, Source } from './scope.ts';

/** Keys under which servers pass on what people and models wrote. */
const FREE_TEXT = new Set([
  ...['arguments', 'body', 'caption', 'comment', 'content', 'contents', 'delta', 'description', 'error', 'filename'],
  ...[
    'html',
    'input',
    'inputs',
    'label',
    'markdown',
    'message',
    'messages',
    'name',
    'note',
    'prompt',
    'query',
    'reply',
  ],
  ...['system_prompt', 'text', 'title', 'update'],
]);

/** Returns a warning for each place from which an id is learned and which a client could have written. */
export const learnedWarnings = (subject: Subject): readonly Warning[] => {
  const routes = listedRoutes(subject);
  return [...routes.flatMap(fromAnswer), ...subject.sources.flatMap((source) => fromEvents(source, routes, subject))];
};

interface Learned {
  readonly kind: string;
  readonly place: string;
}

const fromAnswer = ({ written, route, source, path }: ListedRoute): readonly Warning[] => {
  const sent = new Set([...sentBy(written), ...formKeys(written.body?.schema)]);
  const named = new Set(route.uses.filter(({ verb }) => verb !== 'release').map(({ kind }) => kind.name));
  return Object.entries(written.filter?.learn ?? {}).flatMap(([kind, place]) => {
    const sign = signOf({ kind, place }, sent) ?? (named.has(kind) ? `the request names a ${kind} itself` : undefined);
    const spot = { source, path: [...path, 'filter', 'learn', kind] };
    return told({ kind, place }, sign, spot);
  });
};

const fromEvents = (source: Source, routes: readonly ListedRoute[], { policy }: Subject): readonly Warning[] => {
  const sent = new Set(routes.flatMap(({ written }) => [...sentBy({ ...written, body: jsonOnly(written.body) })]));
  const chosen = chosenKinds(policy);
  return learnedPlaces(source).flatMap(({ kind, place, path }) => {
    const sign =
      signOf({ kind, place }, sent) ?? (chosen.has(kind) ? `clients choose the ids of a ${kind}` : undefined);
    return told({ kind, place }, sign, { source, path });
  });
};

const told = ({ kind, place }: Learned, sign: string | undefined, spot: Spot): readonly Warning[] =>
  sign === undefined ? [] : [warn('learned-from-client', spot, `${kind} at ${place}: ${sign}`)];

const signOf = ({ place }: Learned, sent: ReadonlySet<string>): string | undefined => {
  const keys = keysOf(place);
  const text = keys.find((key) => FREE_TEXT.has(key.toLowerCase()));
  if (text !== undefined) return `${text} is text that people write`;
  const same = keys.find((key) => sent.has(key));
  return same === undefined ? undefined : `requests carry ${same}`;
};

/** The names that a route's requests give to what they carry; `inline` is none, for what it lets pass holds no id. */
const sentBy = ({ body, run, rewrite, query }: Pick<Written, 'body' | 'run' | 'rewrite' | 'query'>): Set<string> => {
  const ids = [body?.own, body?.create, body?.claim].flatMap((places) => Object.values(places ?? {}));
  const places = body?.confirms === undefined ? ids : [...ids, body.confirms];
  return new Set([
    ...places.flatMap((place) => keysOf(place).slice(-1)),
    ...(run === undefined ? [] : [run.session]),
    ...(body?.file === undefined ? [] : [body.file]),
    ...rewrite.flatMap((step) =>
      'catalogue' in step
        ? [step.catalogue.field]
        : 'drop' in step
          ? step.drop
          : 'rename' in step
            ? [step.rename.from]
            : [],
    ),
    ...query,
  ]);
};

type Written = ListedRoute['written'];

/** The names of all properties in the form of a body. */
const formKeys = (form: NonNullable<Written['body']>['schema']): readonly string[] => {
  if (form?.type === 'array') return formKeys(form.items);
  if (form?.type !== 'object') return [];
  return Object.entries(form.properties ?? {}).flatMap(([name, inner]) => [name, ...formKeys(inner)]);
};

/** The part of a form has its name among the parts alone: an event's field of that name is another thing. */
const jsonOnly = (body: Written['body']): Written['body'] => (body?.multipart === undefined ? body : undefined);

const keysOf = (place: string): readonly string[] => parseFieldPath(place).filter((step) => typeof step === 'string');

const learnedPlaces = (source: Source): ReadonlyArray<Learned & { readonly path: Path }> => [
  ...learnedInEvents(source),
  ...learnedInMessages(source),
];

const learnedInEvents = ({ policy }: Source): ReadonlyArray<Learned & { readonly path: Path }> =>
  policy.sockets.flatMap((written, socket) =>
    Object.entries(written.protocol === 'socket.io' ? written.deliver : {}).flatMap(([event, { types }]) =>
      Object.entries(types).flatMap(([type, { learn }]) =>
        Object.entries(learn ?? {}).flatMap(([kind, places]) =>
          places.map((place, index) => ({
            kind,
            place,
            path: ['sockets', socket, 'deliver', event, 'types', type, 'learn', kind, index],
          })),
        ),
      ),
    ),
  );
