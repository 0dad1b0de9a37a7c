/** One route as written -> one row of the route table. Every mistake is a fault at its place; nothing is guessed. */
import { referenceScan } from '../authz/cited.ts';
import { operations as answerOperations } from '../filter/operations.ts';
import { parseFieldPath } from '../model/field-path.ts';
import { EACH, type FieldPath } from '../model/json.ts';
import type { RateLimit } from '../model/limits.ts';
import type { ResourceKind, Verb } from '../model/resource.ts';
import type {
  AnswerOperation,
  AnswerRule,
  BodyOperation,
  BodyRule,
  KeepRule,
  LearnRule,
  ResourceUse,
  Route,
  RunRule,
} from '../model/route.ts';
import { operations as bodyOperations } from '../rewrite/operations.ts';
import { durationMillis, sizeBytes } from './amounts.ts';
import { checkRoute } from './check-route.ts';
import { nearestWord } from './fault.ts';
import type { ParsedRoute } from './schema.ts';
import { addFault, type FaultWords, type Path, type RouteContext, referred, type Scope } from './scope.ts';
import { parseTemplate, type Template } from './template.ts';

const DEFAULT_TIMEOUT_MILLIS = 60_000;

/** Returns the compiled route; its faults, if any, are in the scope. */
export const compileRoute = (context: RouteContext): Route => {
  const { written } = context;
  const template = compileTemplate(context);
  const uses = [...pathUses(context, template), ...bodyUses(context)];
  checkRoute(context, uses);
  return {
    id: written.id,
    method: template.method,
    segments: template.segments,
    access: written.access,
    roles: written.roles ?? [],
    limits: compileLimits(context),
    run: compileRun(context),
    query: new Set(written.query),
    body: compileBody(context),
    uses,
    references: compileReferences(context),
    operations: compileRewrite(context),
    answer: compileAnswer(context),
    hidden: written.hidden && { status: written.hidden.status, body: Buffer.from(JSON.stringify(written.hidden.json)) },
    answerHeaders: answerHeaders(written),
    timeoutMillis: written.timeout === undefined ? DEFAULT_TIMEOUT_MILLIS : durationMillis(written.timeout),
  };
};

const fault = (context: RouteContext, below: Path, words: FaultWords): void => addFault(context, words, below);

/** Returns a function that finds what a name refers to among those that are declared. */
const named =
  <T>(context: RouteContext, declared: ReadonlyMap<string, T>) =>
  (name: string, below: Path): T | undefined =>
    referred(declared, name, { ...context, path: [...context.path, ...below], what: 'this name' });

const compileTemplate = (context: RouteContext): Template => {
  const template = parseTemplate(context.written.match);
  if (!('expected' in template)) return template;
  fault(context, ['match'], { message: 'not a route', found: context.written.match, expected: template.expected });
  return { method: 'GET', segments: [] };
};

/** A path parameter named after a kind is checked by that name alone. */
const pathUses = (context: RouteContext, { segments }: Template): ResourceUse[] => {
  const { release } = context.written;
  const uses: ResourceUse[] = [];
  for (const segment of segments) {
    if (segment.kind !== 'parameter') continue;
    const kind = context.scope.kinds.get(segment.name);
    if (kind === undefined) {
      checkSpelling(context, segment.name);
      continue;
    }
    const verb = kind.name === release ? 'release' : 'own';
    uses.push({ verb, kind, at: { in: 'path', name: kind.name } });
  }
  if (release !== undefined && !uses.some(({ verb }) => verb === 'release')) {
    fault(context, ['release'], { message: 'the path has no such parameter', found: release });
  }
  return uses;
};

/** A misspelt kind would be a parameter that nobody checks. */
const checkSpelling = (context: RouteContext, parameter: string): void => {
  const near = nearestWord(parameter, context.scope.kinds.keys());
  if (near === undefined) return;
  fault(context, ['match'], {
    message: 'this parameter is no resource, and would not be checked',
    found: `{${parameter}}`,
    expected: `{${near}}, or a name that is not as near to it`,
  });
};

const bodyUses = (context: RouteContext): ResourceUse[] => {
  const { body } = context.written;
  const uses: ResourceUse[] = [];
  for (const verb of ['own', 'create', 'claim'] as const satisfies readonly Verb[]) {
    for (const [name, text] of Object.entries(body?.[verb] ?? {})) {
      const at = ['body', verb, name];
      const kind = named(context, context.scope.kinds)(name, at);
      const path = compilePath(context, text, at);
      if (kind === undefined) continue;
      if (path.includes(EACH)) fault(context, at, { message: 'one id is needed here, not a list', found: text });
      uses.push({ verb, kind, at: { in: 'body', path, text, optional: false } });
    }
  }
  if (uses.length > 0 && body?.json === undefined)
    fault(context, ['body'], { message: 'ids are read from a JSON body', expected: 'json: SIZE' });
  return uses;
};

const compilePath = (context: RouteContext, text: string, at: Path): FieldPath => {
  try {
    return parseFieldPath(text);
  } catch {
    fault(context, at, { message: 'not a place in a JSON value', found: text, expected: 'a.b, a[*].b' });
    return [];
  }
};

const compileLimits = (context: RouteContext): Route['limits'] => {
  const own: RateLimit[] = [];
  for (const [index, name] of context.written.limits.entries()) {
    const rate = named(context, context.scope.rates)(name, ['limits', index]);
    if (rate !== undefined) own.push(rate);
  }
  const all = [...new Set([...context.scope.everywhere, ...own])].filter((rate) => !rate.onFailedAuthentication);
  return { user: all.filter(({ by }) => by === 'user'), address: all.filter(({ by }) => by === 'address') };
};

const compileRun = (context: RouteContext): RunRule | undefined => {
  const { run, body } = context.written;
  if (run === undefined) return undefined;
  const limit = named(context, context.scope.concurrencies)(run.limit, ['run', 'limit']);
  if (body?.json === undefined)
    fault(context, ['run'], { message: 'the session is read from a JSON body', expected: 'body: { json: SIZE }' });
  if (limit === undefined) return undefined;
  return {
    limit,
    session: compilePath(context, run.session, ['run', 'session']),
    endsWithAnswer: run.ends === 'answer',
  };
};

const compileBody = (context: RouteContext): BodyRule => {
  const { body } = context.written;
  if (body === undefined) return { kind: 'none' };
  const { json, multipart, file } = body;
  if (json !== undefined && multipart === undefined && file === undefined)
    return { kind: 'json', maxBytes: sizeBytes(json) };
  if (multipart !== undefined && json === undefined && file !== undefined) {
    return { kind: 'multipart', maxBytes: sizeBytes(multipart), file };
  }
  fault(context, ['body'], {
    message: 'a body is of one type',
    expected: 'json: SIZE, or multipart: SIZE with file: NAME',
  });
  return { kind: 'none' };
};

const compileReferences = (context: RouteContext): Route['references'] => {
  const name = context.written.body?.references;
  if (name === undefined) return undefined;
  const kind = named(context, context.scope.kinds)(name, ['body', 'references']);
  return kind === undefined ? undefined : referenceScan([kind]);
};

const compileRewrite = (context: RouteContext): BodyOperation[] => {
  const { rewrite, body } = context.written;
  if (rewrite.length > 0 && body?.json === undefined) {
    fault(context, ['rewrite'], { message: 'only a JSON body can be rewritten', expected: 'body: { json: SIZE }' });
  }
  return rewrite.flatMap((step, index): BodyOperation[] => {
    if ('set' in step) return [bodyOperations.set(step.set)];
    if ('drop' in step) return [bodyOperations.drop(step.drop)];
    if ('inline' in step) return [bodyOperations.inline(step.inline)];
    const { field, from, each } = step.catalogue;
    const catalogue = named(context, context.scope.catalogues)(from, ['rewrite', index, 'catalogue', 'from']);
    return catalogue === undefined ? [] : [bodyOperations.catalogue({ field, from: catalogue, each })];
  });
};

const compileAnswer = (context: RouteContext): AnswerRule => {
  const { filter } = context.written;
  if (filter === undefined) return { kind: 'stream', relative: [] };
  const relative = filter.relative === true ? urlsOf(context.scope) : [];
  if (filter.max === undefined) {
    if (filter.keep ?? filter.learn ?? filter.drop) {
      fault(context, ['filter'], { message: 'an answer that is read needs a bound', expected: 'max: SIZE' });
    }
    return { kind: 'stream', relative };
  }
  const keep: KeepRule[] = [];
  for (const [index, { resource, each, id }] of (filter.keep ?? []).entries()) {
    const at = ['filter', 'keep', index];
    const kind = named(context, context.scope.kinds)(resource, [...at, 'resource']);
    const path = compilePath(context, each, [...at, 'each']);
    if (path.at(-1) !== EACH)
      fault(context, [...at, 'each'], {
        message: 'rows are the elements of a list',
        found: each,
        expected: 'a path that ends in [*]',
      });
    if (kind !== undefined)
      keep.push({ resource: kind, list: path.slice(0, -1), id: compilePath(context, id, [...at, 'id']) });
  }
  const learn: LearnRule[] = [];
  for (const [name, text] of Object.entries(filter.learn ?? {})) {
    const kind: ResourceKind | undefined = named(context, context.scope.kinds)(name, ['filter', 'learn', name]);
    if (kind !== undefined) learn.push({ resource: kind, path: compilePath(context, text, ['filter', 'learn', name]) });
  }
  const operations: AnswerOperation[] = (filter.drop ?? []).map((text, index) =>
    answerOperations.drop(compilePath(context, text, ['filter', 'drop', index])),
  );
  if (relative.length > 0) operations.push(answerOperations.relative(relative));
  const maxBytes = sizeBytes(filter.max);
  const [only, ...more] = keep;
  // The commonest rule, one list at the top and nothing else to do, needs no more of the answer than a row at a time.
  const [key, ...deeper] = only?.id ?? [];
  const alone = more.length + learn.length + operations.length + deeper.length === 0 && only?.list.length === 0;
  if (alone && only !== undefined && typeof key === 'string') {
    return { kind: 'rows', resource: only.resource, key, maxRowBytes: maxBytes };
  }
  return { kind: 'json', keep, learn, operations, maxBytes };
};

/** The paths below which kinds are served. */
const urlsOf = ({ kinds }: Scope): string[] =>
  [...kinds.values()].flatMap(({ url }) => (url === undefined ? [] : [url]));

/** What one user may see is never kept for another: not by a shared cache, and by a browser only where the policy says. */
const answerHeaders = ({ access, headers }: ParsedRoute): ReadonlyMap<string, string> => {
  const all = new Map(Object.entries(headers ?? {}));
  if (access !== 'public' && !all.has('cache-control')) all.set('cache-control', 'private, no-store');
  return all;
};
