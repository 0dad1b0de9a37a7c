/** Who may know whom: the table of levels, siblings, cycles, barrels. */
import { describe } from 'vitest';
import { type Rule, testLaw } from './laws.ts';
import { isIn, roomOf, type Source, sourcesBelow } from './tree.ts';

const STAGES = 'authn ratelimit body authz rewrite filter upstream realtime'.split(' ');
const FACTS = 'store audit telemetry policy migrate'.split(' ');

interface Level {
  readonly level: number;
  /** Rooms that may be imported besides the own one. */
  readonly values: readonly string[];
  /** Rooms of which types may be imported. */
  readonly types: readonly string[];
  /** Single places beyond the rooms. */
  readonly places?: readonly string[];
}

const LEVELS: ReadonlyMap<string, Level> = new Map<string, Level>([
  ['model', { level: 0, values: [], types: [] }],
  ...STAGES.map((room): [string, Level] => [room, { level: 1, values: ['model'], types: [] }]),
  ...FACTS.map((room): [string, Level] => [room, { level: 2, values: ['model'], types: STAGES }]),
  [
    'policy',
    {
      level: 2,
      values: ['model'],
      types: STAGES,
      // What a policy names is compiled at load, so it takes the tables that say what the names mean. `authz/cited` is
      // one of them: the scan for ids in free text.
      places: ['rewrite/operations', 'filter/operations', 'authz/locate', 'authz/cited'].map((place) => `src/${place}`),
    },
  ],
  // Both limiters count by one rule, in memory and in Redis: its arithmetic stands once, beside the port.
  ['store', { level: 2, values: ['model'], types: STAGES, places: ['src/ratelimit/gcra'] }],
  ['pipeline', { level: 3, values: ['model'], types: STAGES }],
  ['server', { level: 4, values: ['model', 'pipeline'], types: [], places: ['src/realtime/channels'] }],
]);

/** Level 5 is whatever composes: config, cli, main, and gateway with the files that it is split into. */
const isTop = (room: string): boolean => /^(config|cli|main|gateway(-[a-z]+)*)$/.test(room);

const isListed = (level: Level | undefined, target: string): boolean =>
  level?.places?.some((place) => isIn(target, [place, `${place}/`])) ?? false;

const mayImport = (from: string, to: string, typeOnly: boolean): boolean => {
  if (from === to) return true;
  if (isTop(from)) return to !== 'main';
  const level = LEVELS.get(from);
  return level !== undefined && (level.values.includes(to) || (typeOnly && level.types.includes(to)));
};

/** The channels are a port: of them the server may know the type only. */
const isPortOnly = (target: string): boolean => isIn(target, ['src/realtime/channels']);

const directions: Rule = (sources) =>
  sources.flatMap(({ path, imports }) =>
    imports.flatMap(({ target, relative, typeOnly, line }) => {
      const from = roomOf(path);
      const to = roomOf(target);
      if (!relative || from === undefined || to === undefined) return [];
      if (STAGES.includes(from) && STAGES.includes(to)) return [];
      if (mayImport(from, to, typeOnly)) return [];
      if (isListed(LEVELS.get(from), target) && (typeOnly || !isPortOnly(target))) return [];
      return [{ path, line, what: `${from} imports ${typeOnly ? 'a type of ' : ''}${target}` }];
    }),
  );

const siblings: Rule = (sources) =>
  sources.flatMap(({ path, imports }) =>
    imports.flatMap(({ target, line }) => {
      const from = roomOf(path) ?? '';
      const to = roomOf(target) ?? '';
      const breaks = from !== to && STAGES.includes(from) && STAGES.includes(to);
      return breaks ? [{ path, line, what: `${from} imports ${target}` }] : [];
    }),
  );

const unknownRooms: Rule = (sources) =>
  sources
    .filter(({ path }) => {
      const room = roomOf(path);
      return room !== undefined && !LEVELS.has(room) && !isTop(room);
    })
    .map(({ path }) => ({ path, line: 1, what: `${roomOf(path)} is no room of the table of levels` }));

const outside: Rule = (sources) =>
  sources.flatMap(({ path, imports }) =>
    imports
      .filter(({ target, relative }) => relative && !target.startsWith('src/') && path !== 'src/cli/demo.ts')
      .map(({ target, line }) => ({ path, line, what: `imports ${target}` })),
  );

/** Returns a file of each cycle, with the way around. Imports of types count: they tie rooms together all the same. */
const cycles: Rule = (sources) => {
  const edges = new Map(sources.map(({ path, imports }) => [path, imports.filter(({ relative }) => relative)]));
  const state = new Map<string, 'open' | 'done'>();
  const found: ReturnType<Rule> = [];
  const visit = (path: string, way: readonly string[]): void => {
    state.set(path, 'open');
    for (const { target, line } of edges.get(path) ?? []) {
      const around = [...way.slice(way.indexOf(target)), target];
      if (state.get(target) === 'open') found.push({ path, line, what: `closes the cycle ${around.join(' -> ')}` });
      else if (!state.has(target)) visit(target, [...way, target]);
    }
    state.set(path, 'done');
  };
  for (const path of edges.keys()) if (!state.has(path)) visit(path, [path]);
  return found;
};

const isBarrel = ({ tokens, imports }: Source): boolean =>
  imports.some(({ reExport }) => reExport) &&
  tokens.filter(({ text }, i) => text === 'export' && tokens[i - 1]?.text !== '.').length ===
    imports.filter(({ reExport }) => reExport).length;

const barrels: Rule = (sources) =>
  sources.flatMap((source) => {
    const star = source.imports.find(({ reExport, names }) => reExport && names.includes('*'));
    if (star !== undefined) return [{ path: source.path, line: star.line, what: `re-exports all of ${star.target}` }];
    return isBarrel(source) ? [{ path: source.path, line: 1, what: 'exports only what others made' }] : [];
  });

const FORBIDDEN = /^(utils?|helpers?|common|shared|misc|globals?|libs?|index)$/;

const names: Rule = (sources) =>
  sources.flatMap(({ path }) =>
    path
      .split('/')
      .filter((part) => FORBIDDEN.test(part.split('.')[0] ?? ''))
      .map((part) => ({ path, line: 1, what: `is called ${part}` })),
  );

const src = () => sourcesBelow('src');
const everything = () => ['src', 'demo', 'bench', 'test'].flatMap(sourcesBelow);

describe('levels', () => {
  testLaw({
    law: 'levels',
    fact: 'imports go only towards a lower level',
    sources: src,
    rule: directions,
    breaches: [
      { 'src/model/a.ts': `import type { B } from '../authz/b.ts';` },
      { 'src/authz/a.ts': `import { b } from '../pipeline/b.ts';` },
      { 'src/store/sqlite/a.ts': `import { b } from '../../authz/ownership.ts';` },
      { 'src/store/a.ts': `import type { B } from '../policy/b.ts';` },
      { 'src/policy/a.ts': `import { b } from '../authz/claim.ts';` },
      { 'src/pipeline/a.ts': `import { b } from '../authn/b.ts';` },
      { 'src/pipeline/a.ts': `import type { B } from '../server/b.ts';` },
      { 'src/server/a.ts': `import { b } from '../realtime/channels.ts';` },
      { 'src/server/a.ts': `import type { B } from '../realtime/order.ts';` },
      { 'src/server/a.ts': `import { b } from '../config/b.ts';` },
      { 'src/cli/a.ts': `import { b } from '../main.ts';` },
    ],
  });

  testLaw({
    law: 'levels',
    fact: 'every file is in a room that has a level',
    sources: src,
    rule: unknownRooms,
    breaches: [{ 'src/stuff/a.ts': '' }],
  });

  testLaw({
    law: 1,
    fact: 'a stage never imports a sibling stage',
    sources: src,
    rule: siblings,
    breaches: [
      { 'src/authz/a.ts': `import { b } from '../authn/b.ts';` },
      { 'src/filter/a.ts': `import type { B } from '../authz/ownership.ts';` },
    ],
  });

  testLaw({
    law: 'demo',
    fact: 'src stands on its own',
    sources: src,
    rule: outside,
    breaches: [
      { 'src/upstream/a.ts': `import { b } from '../../demo/b.ts';` },
      { 'src/gateway.ts': `import '../test/support/b.ts';` },
    ],
  });
});

/** `explain` and `test` say what the gateway would do, so they must not put its stages together themselves. */
const oneEvaluator: Rule = (sources) =>
  sources
    .filter(({ path }) => path.startsWith('src/') && !isIn(path, ['src/gateway-requests']))
    .flatMap(({ path, imports }) =>
      imports
        .filter(({ target, names }) => target === 'src/pipeline/request.ts' && names.includes('requestLife'))
        .map(({ line }) => ({ path, line, what: 'puts the stages of a request together' })),
    );

describe('shape', () => {
  testLaw({
    law: 'evaluator',
    fact: 'the stages of a request are put together in one place, for the gateway and for rehearsals',
    sources: everything,
    rule: oneEvaluator,
    breaches: [{ 'src/cli/explain.ts': `import { requestLife } from '../pipeline/request.ts';` }],
  });

  testLaw({
    law: 9,
    fact: 'no import cycles',
    sources: everything,
    rule: cycles,
    breaches: [
      { 'src/a/b.ts': `import './c.ts';`, 'src/a/c.ts': `import type { B } from './b.ts';` },
      { 'src/a/b.ts': `import './b.ts';` },
    ],
  });

  testLaw({
    law: 9,
    fact: 'no barrel files',
    sources: everything,
    rule: barrels,
    breaches: [
      { 'src/a/b.ts': `export { c } from './c.ts';` },
      { 'src/a/b.ts': `export * from './c.ts';\nexport const d = 1;` },
    ],
  });

  testLaw({
    law: 9,
    fact: 'no room and no file is called by a word for nothing in particular',
    sources: everything,
    rule: names,
    breaches: [
      { 'src/authz/utils.ts': '' },
      { 'src/shared/a.ts': '' },
      { 'src/authz/index.ts': '' },
      { 'test/helpers.test.ts': '' },
    ],
  });
});
