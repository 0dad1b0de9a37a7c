/** What `owners` says to people. */
import type { OwnerCount, PlannedChange } from '../store/sqlite/owner-migration.ts';
import { seen } from './seen.ts';

/** What came of a command, as `--json` writes it. */
export type Answer =
  | { readonly outcome: 'listed'; readonly owners: readonly OwnerCount[] }
  | { readonly outcome: 'planned'; readonly changes: readonly PlannedChange[]; readonly notes: readonly string[] }
  | { readonly outcome: 'refused'; readonly conflicts: readonly PlannedChange[] }
  | { readonly outcome: 'undo-planned'; readonly resources: number; readonly changedSince: number }
  | { readonly outcome: 'failed'; readonly message: string }
  | ({
      readonly outcome: 'applied' | 'failed';
      readonly changes: readonly PlannedChange[];
      readonly notes: readonly string[];
      readonly undoFile: string;
    } & Done)
  | ({ readonly outcome: 'undone' | 'failed'; readonly resources: number; readonly changedSince: number } & Done);

interface Done {
  /** `remembers`: it was done, and Redis goes on naming old owners. Undefined: there is none. */
  readonly redis: 'forgot' | 'remembers' | undefined;
  /** Whether the audit file says so; undefined where there is none. */
  readonly recorded: boolean | undefined;
}

/** More would push what matters off the screen. */
const MAX_LINES = 50;

/** Returns the lines. */
export const answerLines = (answer: Answer): readonly string[] => {
  if ('message' in answer) return [answer.message];
  if (answer.outcome === 'listed') return listed(answer.owners);
  if (answer.outcome === 'refused') return refused(answer.conflicts);
  if (answer.outcome === 'planned') {
    const changes = cut(answer.changes.map((change) => `${named(change)}: ${counts(change)}`));
    return [...changes, ...consequences(answer.changes), ...answer.notes, 'Nothing was changed. --apply does it.'];
  }
  if (answer.outcome === 'undo-planned')
    return [...given(answer, 'To be given'), 'Nothing was changed. --apply does it.'];
  return [...('changes' in answer ? renamed(answer) : given(answer, 'Given')), ...afterwards(answer)];
};

const listed = (owners: readonly OwnerCount[]): readonly string[] =>
  owners.length === 0
    ? ['Nobody owns anything.']
    : owners.map(
        ({ owner, resources, deleted }) =>
          `${seen(owner)}  ${resources}${deleted > 0 ? ` (and ${deleted} deleted)` : ''}`,
      );

const refused = (conflicts: readonly PlannedChange[]): readonly string[] => [
  ...cut(
    conflicts.map(
      (change) => `${named(change)}: the new name would also have ${some(change.meets, 'resource')} of another`,
    ),
  ),
  'Nothing was changed. Two owners become one for ever with --merge.',
];

const renamed = ({ changes, undoFile }: { readonly changes: readonly PlannedChange[]; readonly undoFile: string }) => [
  ...cut(changes.map((change) => `Renamed ${named(change)}: ${counts(change)}`)),
  ...consequences(changes),
  `"owners undo ${undoFile}" takes it back.`,
];

const given = (
  { resources, changedSince }: { readonly resources: number; readonly changedSince: number },
  deed: string,
): readonly string[] => [
  `${deed} back to the former owners: ${some(resources, 'resource')}.`,
  ...(changedSince > 0 ? [`Changed hands since, and left as it is: ${some(changedSince, 'resource')}.`] : []),
];

const afterwards = ({ redis, recorded }: Done): readonly string[] => [
  ...(redis === 'remembers'
    ? [
        'Redis did not forget all of the old owners: for up to 5 minutes it may still name them. Empty it (FLUSHDB) now.',
      ]
    : []),
  ...(recorded === false ? ['The audit file could not be written: it does not tell of this.'] : []),
];

const consequences = (changes: readonly PlannedChange[]): readonly string[] => {
  const stuck = changes.filter(({ keys, to }) => keys > 0 && !to.startsWith('service|'));
  return stuck.map(
    ({ from, keys }) =>
      `Left with ${seen(from)}: ${some(keys, 'API key')}. Only a service account has any, so revoke what is not wanted.`,
  );
};

const named = ({ from, to }: PlannedChange): string => `${seen(from)} -> ${seen(to)}`;

const counts = ({ resources, deleted, sessions, keys, revocations }: PlannedChange): string =>
  [
    some(resources, 'resource'),
    ...(deleted > 0 ? [`${deleted} deleted`] : []),
    ...(sessions > 0 ? [`${some(sessions, 'session')} to end`] : []),
    ...(keys > 0 ? [some(keys, 'API key')] : []),
    ...(revocations > 0 ? [some(revocations, 'revocation')] : []),
  ].join(', ');

const some = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const cut = (lines: readonly string[]): readonly string[] =>
  lines.length <= MAX_LINES
    ? lines
    : [...lines.slice(0, MAX_LINES), `and ${lines.length - MAX_LINES} more, which --json tells`];
