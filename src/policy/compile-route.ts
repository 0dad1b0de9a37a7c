/** One route as written -> one row of the route table. Every mistake is a fault at its place; nothing is guessed. */
import { referenceScan } from '../authz/cited.ts';
import { isManifold } from '../model/field-path.ts';
import type { RateLimit } from '../model/limits.ts';
import type { Rollout } from '../model/mode.ts';
import type { Verb } from '../model/resource.ts';
import type { ResourceUse, Route, RunRule } from '../model/route.ts';
import { durationMillis } from './amounts.ts';
import { checkAnswer } from './check-answer.ts';
import { checkRoute, NO_REFERRER } from './check-route.ts';
import { answerHeaders, compileAnswer, compileCache, compileFixed, compileHidden } from './compile-answer.ts';
import { compileBody, compileConfirms } from './compile-body.ts';
import { compileCondition } from './compile-condition.ts';
import { checkPaths, compileQueryScopes } from './compile-paths.ts';
import { compileRewrite } from './compile-rewrite.ts';
import { nearestWord } from './fault.ts';
import { named, place } from './refer.ts';
import { grammarOf, NOTHING, patternFault, WAYS_OF_CITED } from './safe-pattern.ts';
import { addFault, type FaultWords, type Path, type RouteContext } from './scope.ts';
import { parseTemplate, type Template } from './template.ts';

const DEFAULT_TIMEOUT_MILLIS = 60_000;

/** Returns the compiled route; its faults, if any, are in the scope. `ofFile`: the rollout where the route has no mode. */
export const compileRoute = (context: RouteContext, ofFile: Rollout): Route => {
  const { written } = context;
  const template = compileTemplate(context);
  const uses = [...pathUses(context, template), ...bodyUses(context)];
  checkRoute(context, uses);
  checkAnswer(context, uses);
  const rollout = written.mode === undefined ? ofFile : { mode: written.mode, cohorts: [] };
  checkPaths(context, rollout);
  const confirms = compileConfirms(context, uses);
  return {
    id: written.id,
    rollout,
    method: template.method,
    segments: template.segments,
    access: written.access,
    tokenInQuery: written.token.includes('query'),
    roles: written.roles ?? [],
    when: written.when && compileCondition(context, written.when, ['when']),
    limits: compileLimits(context),
    run: compileRun(context),
    query: new Set(written.query),
    queryOperations: compileQueryScopes(context),
    body: compileBody(context, { uses, confirms }),
    uses,
    references: compileReferences(context),
    confirms,
    operations: compileRewrite(context, { uses, confirms }),
    forwardTo: written['forward-to'],
    cache: compileCache(written),
    fixed: compileFixed(written),
    answer: compileAnswer(context),
    hidden: compileHidden(written),
    answerHeaders: headersOf(written),
    timeoutMillis: written.timeout === undefined ? DEFAULT_TIMEOUT_MILLIS : durationMillis(written.timeout),
  };
};

/** The address of what was asked with a token in it is told to no server of a link (RFC 6750, section 2.3). */
const headersOf = (written: RouteContext['written']): ReadonlyMap<string, string> => {
  const headers = answerHeaders(written);
  return written.token.includes('query') ? new Map([...headers, ['referrer-policy', NO_REFERRER]]) : headers;
};

const fault = (context: RouteContext, below: Path, words: FaultWords): void => addFault(context, words, below);

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

/** To compare two names takes microseconds. */
const MAX_COMPARED = 100_000;

/** A misspelt kind would be a parameter that nobody checks. */
const checkSpelling = (context: RouteContext, parameter: string): void => {
  const { kinds, spellings } = context.scope;
  if (!spellings.has(parameter)) {
    if (spellings.size * kinds.size > MAX_COMPARED) {
      const message = 'too many parameters have names of their own, and none can be told from a misspelt resource';
      fault(context, ['match'], { message, found: `{${parameter}}`, expected: 'names that are used again' });
      return;
    }
    spellings.set(parameter, nearestWord(parameter, kinds.keys()));
  }
  const near = spellings.get(parameter);
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
      const path = place(context, text, at);
      if (kind === undefined) continue;
      if (isManifold(path)) fault(context, at, { message: 'one id is needed here, not a list', found: text });
      uses.push({ verb, kind, at: { in: 'body', path, text, optional: false } });
    }
  }
  if (uses.length > 0 && body?.json === undefined)
    fault(context, ['body'], { message: 'ids are read from a JSON body', expected: 'json: SIZE' });
  return uses;
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
  const limit = named(context, context.scope.concurrencies, 'this limit of runs')(run.limit, ['run', 'limit']);
  if (body?.json === undefined)
    fault(context, ['run'], { message: 'the session is read from a JSON body', expected: 'body: { json: SIZE }' });
  if (limit === undefined) return undefined;
  return {
    limit,
    session: place(context, run.session, ['run', 'session']),
    endsWithAnswer: run.ends === 'answer',
  };
};

const compileReferences = (context: RouteContext): Route['references'] => {
  const name = context.written.body?.references;
  if (name === undefined) return undefined;
  const at = ['body', 'references'];
  const kind = named(context, context.scope.kinds)(name, at);
  if (kind === undefined) return undefined;
  const pattern = grammarOf(kind.pattern);
  const message = patternFault({
    what: `to be looked for in texts, the grammar of ${name}`,
    pattern,
    maxWays: WAYS_OF_CITED,
  });
  // What is wrong with the grammar anywhere is told where it stands.
  if (message !== undefined && kind.pattern !== NOTHING) fault(context, at, { message, found: pattern });
  return referenceScan([kind]);
};
