/** Words of an event's rule that go together, and stand alone: a question without an answer, a watch without a means. */
import { parseFieldPath } from '../model/field-path.ts';
import { EVERY, type FieldPath } from '../model/json.ts';
import { type Spot, type Subject, type Warning, warn } from './lint-warning.ts';
import type { ParsedSocket } from './schema.ts';
import type { Path, Source } from './scope.ts';

type WrittenRule = ParsedSocket['deliver'][string];

/** Returns a warning for each such word. */
export const eventWarnings = (subject: Subject): readonly Warning[] =>
  subject.sources.flatMap((source) =>
    rulesOf(source).flatMap(({ rule, path }) => {
      const at = (...below: Path): Spot => ({ source, path: [...path, ...below] });
      return [...unanswered(subject, rule, at), ...uncancelled(rule, at), ...hiding(rule, at)];
    }),
  );

type At = (...below: Path) => Spot;

/** Returns the rules of live events as they are written, each with its place. */
export const rulesOf = ({ policy }: Source): ReadonlyArray<{ readonly rule: WrittenRule; readonly path: Path }> =>
  policy.sockets.flatMap((socket, index) =>
    Object.entries(socket.protocol === 'socket.io' ? socket.deliver : {}).map(([name, rule]) => ({
      rule,
      path: ['sockets', index, 'deliver', name],
    })),
  );

const unanswered = ({ policy }: Subject, { owner, types }: WrittenRule, at: At): readonly Warning[] => {
  const answered = policy.routes.some(
    ({ access, confirms }) => access !== 'denied' && confirms !== undefined && Object.hasOwn(owner, confirms.of),
  );
  if (answered) return [];
  return Object.entries(types).flatMap(([type, { pending }]) =>
    pending === undefined ? [] : [warn('pending-unanswered', at('types', type, 'pending'), `${type} at ${pending}`)],
  );
};

const uncancelled = ({ cancel, types }: WrittenRule, at: At): readonly Warning[] => {
  const opening = Object.entries(types).filter(([, { opens }]) => opens !== undefined);
  if (cancel !== undefined) return opening.length > 0 ? [] : [warn('cancel-unused', at('cancel'), cancel)];
  return opening.map(([type]) => warn('opens-uncancelled', at('types', type, 'opens'), type));
};

const hiding = (rule: WrittenRule, at: At): readonly Warning[] => {
  const always = [...Object.values(rule.owner), rule.type];
  const ofTypes = Object.entries(rule.types).map(([type, { redact = [], pending, settled }]) => {
    const needed = [...always, ...[pending, settled].filter((place) => place !== undefined)];
    return hidingIn(redact, needed, (index) => at('types', type, 'redact', index));
  });
  const calls = Object.values(rule.types).flatMap(({ pending, settled }) => [pending, settled]);
  const ofAll = [...always, ...calls.filter((place) => place !== undefined)];
  return [...hidingIn(rule.redact ?? [], ofAll, (index) => at('redact', index)), ...ofTypes.flat()];
};

const hidingIn = (hidden: readonly string[], needed: readonly string[], at: (index: number) => Spot): Warning[] =>
  hidden.flatMap((place, index) => {
    const covered = needed.find((one) => covers(parseFieldPath(place), parseFieldPath(one)));
    return covered === undefined ? [] : [warn('redact-needed', at(index), `${place} hides ${covered}`)];
  });

/** True when the value at the second place is, or is within, what stands at the first. */
const covers = (outer: FieldPath, inner: FieldPath): boolean =>
  outer.every((step, index) => step === inner[index] || (step === EVERY && typeof inner[index] === 'string'));
