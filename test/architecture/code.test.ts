/** Laws that are read from the code itself: what may be written only in one place. */
import { describe, expect, test } from 'vitest';
import { functionsOf } from './functions.ts';
import { type Breach, type Rule, testLaw } from './laws.ts';
import type { Token } from './tokens.ts';
import { filesBelow, isIn, type Source, sourcesBelow } from './tree.ts';

const src = () => sourcesBelow('src');

/** Finds a sequence of tokens: each step is a text, or a pattern for one. */
const places = ({ path, tokens }: Source, steps: ReadonlyArray<string | RegExp>): Breach[] =>
  tokens.flatMap(({ line }, index) => {
    const found = tokens.slice(index, index + steps.length);
    const matches = steps.every((step, i) => {
      const text = found[i]?.text ?? '';
      return typeof step === 'string' ? step === text : step.test(text);
    });
    return matches ? [{ path, line, what: `writes ${found.map(({ text }) => text).join(' ')}` }] : [];
  });

/** Any of these sequences, anywhere but in the named places. */
const onlyIn =
  (allowed: readonly string[], ...sequences: ReadonlyArray<ReadonlyArray<string | RegExp>>): Rule =>
  (sources) =>
    sources
      .filter(({ path }) => !isIn(path, allowed))
      .flatMap((source) => sequences.flatMap((steps) => places(source, steps)));

const MAKERS: Readonly<Record<string, string>> = {
  Principal: 'src/authn/claims',
  CanonicalRequest: 'src/server/canonical',
  ReadRequest: 'src/body/read',
  Grant: 'src/authz/authorize',
  OutboundRequest: 'src/rewrite/rewrite',
  FilteredResponse: 'src/filter/filter',
};

const BRAND_NAMES = new RegExp(`^(${Object.keys(MAKERS).join('|')})$`);

/** `x as Grant`, but not the renaming of an import. */
const casts: Rule = (sources) =>
  sources.flatMap((source) =>
    places(source, ['as', BRAND_NAMES]).filter(
      ({ what }) => !isIn(source.path, [MAKERS[what.split(' ').at(-1) ?? ''] ?? '']),
    ),
  );

describe('law 3', () => {
  testLaw({
    law: 3,
    fact: 'a branded value is made in one file only',
    sources: src,
    rule: casts,
    breaches: [
      { 'src/authn/jwt.ts': 'return { owner } as Principal;' },
      { 'src/authz/check.ts': 'return fields as unknown as Grant;' },
      { 'src/body/json.ts': 'const list = [] as ReadRequest[];' },
    ],
  });

  testLaw({
    law: 3,
    fact: 'a brand is declared in model only',
    sources: src,
    rule: onlyIn(['src/model/'], ['Brand', '<']),
    breaches: [{ 'src/authz/a.ts': `type Mine = Brand<A, 'Grant'>;` }],
  });

  test.each(Object.entries(MAKERS))('%s is made in %s', (brand, place) => {
    const source = src().find(({ path }) => path === `${place}.ts`);
    expect(
      source && places(source, ['as', brand]).length,
      `${place}.ts does not write \`as ${brand}\``,
    ).toBeGreaterThan(0);
  });
});

describe('law 4', () => {
  testLaw({
    law: 4,
    fact: 'the environment is read only in config',
    sources: src,
    rule: onlyIn(['src/config/'], ['process', /^(\.|\?\.|\[)$/, /^(env|'env'|loadEnvFile)$/], ['}', '=', 'process']),
    breaches: [
      { 'src/authz/a.ts': 'const home = process.env.HOME;' },
      { 'src/cli/a.ts': `const home = process['env'];` },
      { 'src/cli/a.ts': 'const { env } = process;' },
    ],
  });

  testLaw({
    law: 4,
    fact: 'the process is ended only in main',
    sources: src,
    rule: onlyIn(['src/main'], ['process', /^(\.|\?\.)$/, /^(exit|exitCode|abort|reallyExit|kill)$/]),
    breaches: [{ 'src/cli/serve.ts': 'process.exit(1);' }, { 'src/cli/serve.ts': 'process.exitCode = 1;' }],
  });

  testLaw({
    law: 4,
    fact: 'nothing is taken out of node:process by name',
    sources: src,
    rule: (sources) =>
      sources.flatMap(({ path, imports }) =>
        imports
          .filter(({ target, names }) => target === 'node:process' && names.some((name) => /^(env|exit)/.test(name)))
          .map(({ line }) => ({ path, line, what: 'imports a name of node:process' })),
      ),
    breaches: [{ 'src/config/a.ts': `import { env } from 'node:process';` }],
  });

  testLaw({
    law: 4,
    fact: 'the console is written to only in cli',
    sources: src,
    rule: onlyIn(['src/cli/'], ['console', /^(\.|\?\.|\[)$/]),
    breaches: [{ 'src/main.ts': `console.error('x');` }],
  });
});

/** The composition root, and the files that it is split into. */
const COMPOSITION = ['src/gateway', ...filesBelow('src').flatMap((path) => path.match(/^src\/gateway-[a-z-]+/) ?? [])];

const importers = (target: string, name: RegExp, allowed: readonly string[]): Rule => {
  return (sources) =>
    sources
      .filter(({ path }) => !isIn(path, allowed))
      .flatMap(({ path, imports }) =>
        imports
          .filter((one) => one.target === target && one.names.some((taken) => name.test(taken)))
          .map(({ line, names }) => ({ path, line, what: `imports ${names.join(', ')} of ${target}` })),
      );
};

describe('law 5', () => {
  testLaw({
    law: 5,
    fact: 'an error is rendered only in server/respond',
    sources: src,
    rule: onlyIn(['src/server/respond'], [/application\/problem\+json/]),
    breaches: [{ 'src/server/app.ts': `response.setHeader('content-type', 'application/problem+json');` }],
  });

  // Only its callers can be told apart by reading: the sink is a plain function, so what counts is who gets hold of it.
  testLaw({
    law: 5,
    fact: 'the audit sink is known only to pipeline/decide, to the sinks themselves, and to the composition',
    sources: src,
    rule: importers('src/model/audit.ts', /^(AuditSink|\*)$/, ['src/pipeline/decide', 'src/audit/', ...COMPOSITION]),
    breaches: [{ 'src/server/app.ts': `import type { AuditSink } from '../model/audit.ts';` }],
  });

  testLaw({
    law: 5,
    fact: 'a life is audited only in pipeline/decide',
    sources: src,
    rule: onlyIn(
      ['src/pipeline/decide', 'src/audit/', ...COMPOSITION],
      [/^(audit|auditSink|sink)$/, '(', /^[^)]/],
      [/^(audit|auditSink|sink)$/, '?.', '('],
    ),
    breaches: [{ 'src/pipeline/request.ts': 'options.audit(record);' }, { 'src/server/app.ts': 'sink(record);' }],
  });
});

const LIFE = /^src\/(authn|ratelimit|body|authz|rewrite|filter|upstream|realtime|pipeline|server)\//;
const life = () => src().filter(({ path }) => LIFE.test(path));

const COMPILES: ReadonlyArray<ReadonlyArray<string | RegExp>> = [
  [/^(RegExp|URLPattern|Function)$/, '('],
  ['eval', '('],
];

/** A pattern made inside two functions or more is made while a request waits: the outermost one is the start-up's. */
const compilesLate: Rule = (sources) =>
  sources
    .filter(({ path }) => LIFE.test(path))
    .flatMap((source) => {
      const functions = functionsOf(source.tokens);
      const depth = (token: Token): number =>
        functions.filter(({ from, to }) => {
          const [first, last] = [source.tokens[from], source.tokens[to]];
          return first !== undefined && last !== undefined && first.start < token.start && token.start < last.start;
        }).length;
      return COMPILES.flatMap((steps) => places(source, steps)).filter(({ line }) =>
        source.tokens.some(
          (token) => token.line === line && /^(RegExp|URLPattern|Function|eval)$/.test(token.text) && depth(token) > 1,
        ),
      );
    });

describe('law 6', () => {
  testLaw({
    law: 6,
    fact: 'no pattern is compiled while a request waits',
    sources: src,
    rule: compilesLate,
    breaches: [
      {
        'src/filter/a.ts':
          'export const a = (options) => {\n const run = (text) => new RegExp(options.x).test(text);\n};',
      },
      {
        'src/server/a.ts':
          'export const a = (o) => async (request) => {\n return new URLPattern(o).test(request.path);\n};',
      },
    ],
  });
});

const emptyCatches: Rule = (sources) =>
  sources.flatMap(({ path, tokens, comments }) =>
    tokens.flatMap(({ text, line }, index) => {
      if (text !== 'catch') return [];
      const open = tokens.findIndex((token, i) => i > index && token.text === '{');
      if (open - index > 4 || tokens[open + 1]?.text !== '}') return [];
      const last = tokens[open + 1]?.line ?? line;
      const explained = comments.some((comment) => comment.line >= line - 1 && comment.line <= last);
      return explained ? [] : [{ path, line, what: 'swallows what was thrown, without a word on why that is safe' }];
    }),
  );

/** Each situation of law 7, and the reason with which it is refused. */
const REFUSALS = {
  'unmatched route': 'route-unknown',
  'unlisted event': 'event-refused',
  'unknown owner': 'resource-hidden',
  'store down': 'ledger-unavailable',
  'body unreadable': 'body-malformed',
  'filter failed': 'answer-unreadable',
} as const;

describe('law 7', () => {
  testLaw({
    law: 7,
    fact: 'nothing that was thrown is swallowed in silence',
    sources: src,
    rule: emptyCatches,
    breaches: [
      { 'src/authz/a.ts': 'try { check(); } catch {}' },
      { 'src/authz/a.ts': 'try { check(); } catch (e) {\n}' },
    ],
  });

  test.each(Object.entries(REFUSALS))('%s: refused with %s, and a test says so', (_situation, reason) => {
    const quotes = ({ text }: Source): boolean => text.includes(`'${reason}'`);
    expect(
      src()
        .filter(({ path }) => path !== 'src/model/reason.ts')
        .some(quotes),
      `src never says ${reason}`,
    ).toBe(true);
    const tests = sourcesBelow('test').filter(({ path }) => !path.startsWith('test/architecture/'));
    expect(tests.some(quotes), `no test asserts ${reason}`).toBe(true);
  });
});

describe('law 8', () => {
  testLaw({
    law: 8,
    fact: 'a path is decoded only in server/canonical',
    sources: life,
    rule: onlyIn(['src/server/canonical'], [/^(decodeURIComponent|decodeURI|unescape)$/]),
    breaches: [{ 'src/authz/locate.ts': 'const id = decodeURIComponent(segment);' }],
  });

  testLaw({
    law: 8,
    fact: "the client's own request is out of reach of the stages",
    sources: src,
    rule: importers('src/model/request.ts', /^RawRequest$/, [
      'src/server/',
      'src/pipeline/',
      'src/cli/',
      ...COMPOSITION,
    ]),
    breaches: [{ 'src/authz/locate.ts': `import type { RawRequest } from '../model/request.ts';` }],
  });
});

/** What a thrown thing says of itself. `reasons[…].message` and `reason.message` are the table's words. */
const TELLS = /^(error|err|e|rejection|thrown|cause|fault|failure|exception)$/;
const ANSWERERS = new Set(filesBelow('src/server').filter((path) => /\/(respond|sockets?[a-z-]*)\.ts$/.test(path)));

describe('law 12', () => {
  testLaw({
    law: 12,
    fact: 'what answers clients reads no detail, no stack and no message of an error',
    sources: () => src().filter(({ path }) => ANSWERERS.has(path)),
    rule: onlyIn([], ['.', /^(detail|stack|cause)$/], [TELLS, '.', 'message']),
    breaches: [
      { 'src/server/respond.ts': 'end(rejection.message);' },
      { 'src/server/respond.ts': 'end(error.stack);' },
      { 'src/server/sockets.ts': 'next(rejection.detail);' },
    ],
  });
});
