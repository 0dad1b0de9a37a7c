/** What becomes of an answer, as written -> the rule by which it is filtered, shared or given by the gateway itself. */
import { operations } from '../filter/operations.ts';
import type { Freshness } from '../model/freshness.ts';
import { EACH, EVERY } from '../model/json.ts';
import type { AnswerOperation, AnswerRule, FixedAnswer, HiddenAnswer, KeepRule, LearnRule } from '../model/route.ts';
import { durationMillis, sizeBytes } from './amounts.ts';
import { asksRolesOnly, compileCondition } from './compile-condition.ts';
import { compileUserPaths } from './compile-paths.ts';
import { named, place } from './refer.ts';
import type { ParsedRoute } from './schema.ts';
import type { WrittenPlace } from './schema-route.ts';
import { addFault, type Path, type RouteContext, type Scope } from './scope.ts';

/** Returns the filter's rule; its faults, if any, are in the scope. */
export const compileAnswer = (context: RouteContext): AnswerRule => {
  const { filter } = context.written;
  if (filter === undefined) return { kind: 'stream', relative: [] };
  const relative = filter.relative === true ? urlsOf(context.scope) : [];
  if (filter.max === undefined) {
    if (filter.keep ?? filter.learn ?? filter.drop ?? filter.redact ?? filter['user-paths']) {
      addFault(context, { message: 'an answer that is read needs a bound', expected: 'max: SIZE' }, ['filter']);
    }
    return { kind: 'stream', relative };
  }
  const keep = compileKeep(context);
  const learn = compileLearn(context);
  const operationsInOrder = [
    ...compilePlaces(context, 'drop'),
    ...compilePlaces(context, 'redact'),
    ...(relative.length > 0 ? [operations.relative(relative)] : []),
    ...compileUserPaths(context),
  ];
  const maxBytes = sizeBytes(filter.max);
  const [only, ...more] = keep;
  // The commonest rule, one list at the top and nothing else to do, needs no more of the answer than a row at a time.
  const [key, ...deeper] = only?.id ?? [];
  const others = more.length + learn.length + operationsInOrder.length + deeper.length;
  if (only?.in === 'list' && only.list.length === 0 && others === 0 && typeof key === 'string') {
    return { kind: 'rows', resource: only.resource, key, maxRowBytes: maxBytes };
  }
  return { kind: 'json', keep, learn, operations: operationsInOrder, maxBytes };
};

/** In a mapping this is no field of the entry but its own key. */
const OWN_KEY = 'key';

const compileKeep = (context: RouteContext): KeepRule[] => {
  const rules: KeepRule[] = [];
  for (const [index, { resource, each, id }] of (context.written.filter?.keep ?? []).entries()) {
    const at = ['filter', 'keep', index];
    const kind = named(context, context.scope.kinds)(resource, [...at, 'resource']);
    const path = place(context, each, [...at, 'each']);
    const last = path.at(-1);
    // What is no place at all is a fault already.
    if (path.length > 0 && last !== EACH && last !== EVERY) {
      const expected = 'a path that ends in [*], or in .* for a mapping';
      addFault(context, { message: 'rows are the elements of a list', found: each, expected }, [...at, 'each']);
    }
    const own = last === EVERY && id === OWN_KEY;
    const idPath = own ? undefined : place(context, id, [...at, 'id']);
    const shape = last === EVERY ? 'mapping' : 'list';
    if (kind !== undefined) rules.push({ resource: kind, in: shape, list: path.slice(0, -1), id: idPath });
  }
  return rules;
};

const compileLearn = (context: RouteContext): LearnRule[] =>
  Object.entries(context.written.filter?.learn ?? {}).flatMap(([name, text]) => {
    const at = ['filter', 'learn', name];
    const kind = named(context, context.scope.kinds)(name, at);
    return kind === undefined ? [] : [{ resource: kind, path: place(context, text, at) }];
  });

const compilePlaces = (context: RouteContext, word: 'drop' | 'redact'): AnswerOperation[] =>
  (context.written.filter?.[word] ?? []).map((written, index) => {
    const at = ['filter', word, index];
    const plain = typeof written === 'string';
    const text = plain ? written : written.at;
    const below = plain ? at : [...at, 'at'];
    const path = place(context, text, below);
    if (word === 'drop' && path.at(-1) === EACH) {
      const message = 'a list keeps its elements, of which a field is dropped';
      addFault(context, { message, found: text, expected: `${text}.FIELD, or the place of the list` }, below);
    }
    const operation = operations[word](path);
    return plain ? operation : conditional(context, written, { at, operation });
  });

interface Compiled {
  readonly at: Path;
  readonly operation: AnswerOperation;
}

/** What the client says of itself cannot lift a protection; its token's roles can. */
const conditional = (
  context: RouteContext,
  { when }: Exclude<WrittenPlace, string>,
  { at, operation }: Compiled,
): AnswerOperation => {
  const below = [...at, 'when'];
  if (!asksRolesOnly(when)) {
    const message = 'what the client says of itself cannot lift a protection';
    addFault(context, { message, expected: 'a condition of roles alone' }, below);
  }
  const holds = compileCondition(context, when, below);
  return (value, owner, principal) =>
    holds({ canonical: undefined, body: undefined, principal }) ? operation(value, owner, principal) : value;
};

/** The paths below which kinds are served. */
const urlsOf = ({ kinds }: Scope): string[] =>
  [...kinds.values()].flatMap(({ url }) => (url === undefined ? [] : [url]));

/** Returns the answer for what is hidden; undefined where it is a plain refusal. */
export const compileHidden = ({ hidden }: ParsedRoute): HiddenAnswer | undefined =>
  hidden && { status: hidden.status, body: Buffer.from(JSON.stringify(hidden.json)) };

/** Returns the gateway's own answer; undefined where the request is forwarded. */
export const compileFixed = ({ answer }: ParsedRoute): FixedAnswer | undefined => {
  if (answer === undefined) return undefined;
  const { status } = answer;
  if ('json' in answer) {
    return { status, contentType: 'application/json', body: Buffer.from(JSON.stringify(answer.json)) };
  }
  const { type = 'text/plain', text } = answer;
  return { status, contentType: `${type}; charset=utf-8`, body: Buffer.from(text) };
};

/** Returns how fresh the shared copy must be; undefined where there is none. */
export const compileCache = ({ cache }: ParsedRoute): Freshness | undefined =>
  cache && {
    maxAgeMillis: durationMillis(cache['max-age']),
    staleMillis: cache.stale === undefined ? 0 : durationMillis(cache.stale),
  };

/** What one user may see is never kept for another: not by a shared cache, and by a browser only where the policy says. */
export const answerHeaders = ({ access, headers }: ParsedRoute): ReadonlyMap<string, string> => {
  const all = new Map(Object.entries(headers ?? {}));
  if (access !== 'public' && !all.has('cache-control')) all.set('cache-control', 'private, no-store');
  return all;
};
