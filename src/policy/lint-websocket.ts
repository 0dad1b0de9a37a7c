/** Raw WebSockets on which nothing says whose it is: what one user may do there, all may. */
import type { Policy } from '../model/policy.ts';
import { type Spot, type Subject, type Warning, warn } from './lint-warning.ts';
import type { ParsedWebSocket } from './schema.ts';
import type { Path, Source } from './scope.ts';

/**
 * Returns a warning for each opaque endpoint, and for each type of message that clients send, on which every user can do
 * something, unless the policy says that it is meant to be so.
 */
export const webSocketWarnings = ({ sources }: Pick<Subject, 'sources'>): readonly Warning[] =>
  sources.flatMap((source) =>
    source.policy.sockets.flatMap((written, index) =>
      written.protocol === 'websocket' ? warningsOf(written, { source, path: ['sockets', index] }) : [],
    ),
  );

const warningsOf = (written: ParsedWebSocket, { source, path }: Spot): readonly Warning[] => {
  const { id, opaque, shared, roles, send = {} } = written;
  if (shared || roles !== undefined || namesOwn(written.path)) return [];
  if (opaque) return [warn('write-unowned', { source, path: [...path, 'opaque'] }, `${id}: unjudged bytes`)];
  return Object.entries(send)
    .filter(([, rule]) => !rule.shared && !rule.own && !rule.create && !rule.claim)
    .map(([type]) => warn('write-unowned', { source, path: [...path, 'send', type] }, `${id}: ${type}`));
};

/** Who may connect there owns what the path names. */
const namesOwn = (path: string): boolean => path.includes('{');

/** The kinds that raw WebSockets deal with, by name. */
export interface SpokenKinds {
  /** In a path or in a message. */
  readonly named: ReadonlySet<string>;
  /** Of which clients choose the ids. */
  readonly chosen: ReadonlySet<string>;
  readonly learned: ReadonlySet<string>;
}

/** Returns the kinds that the policy’s raw WebSockets deal with, for those who judge the kinds. */
export const spokenKinds = ({ webSockets }: Pick<Policy, 'webSockets'>): SpokenKinds => {
  const inPaths = webSockets.flatMap(({ segments }) =>
    segments.flatMap((segment) => (segment.kind === 'parameter' ? [segment.name] : [])),
  );
  const rules = webSockets.flatMap(({ carries }) => (carries.kind === 'messages' ? [carries] : []));
  const uses = rules.flatMap(({ send }) => [...send.values()].flatMap((rule) => rule.uses));
  const owned = rules.flatMap(({ deliver }) => [...deliver.values()].flatMap((rule) => rule.owned ?? []));
  const learned = owned.flatMap(({ types }) => [...types.values()].flatMap(({ learn }) => learn));
  const heard = [...owned.flatMap(({ owner, agree }) => [owner, ...agree]), ...learned];
  return {
    named: new Set([...inPaths, ...[...uses, ...heard].map(({ kind }) => kind.name)]),
    chosen: new Set(uses.filter(({ verb }) => verb !== 'own').map(({ kind }) => kind.name)),
    learned: new Set(learned.map(({ kind }) => kind.name)),
  };
};

/** A place in a message from which an id is learned. */
export interface LearnedInMessage {
  readonly kind: string;
  readonly place: string;
  readonly path: Path;
}

/** Returns the places in the messages of a file's raw WebSockets from which ids are learned. */
export const learnedInMessages = ({ policy }: Source): readonly LearnedInMessage[] =>
  policy.sockets.flatMap((written, socket) =>
    Object.entries(written.protocol === 'websocket' ? (written.deliver ?? {}) : {}).flatMap(([type, { learn }]) =>
      Object.entries(learn ?? {}).flatMap(([kind, places]) =>
        places.map((place, index) => ({
          kind,
          place,
          path: ['sockets', socket, 'deliver', type, 'learn', kind, index],
        })),
      ),
    ),
  );
