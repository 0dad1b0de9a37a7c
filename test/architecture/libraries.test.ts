/** Law 2: where each library may be imported, and that its types stay there. */
import { describe } from 'vitest';
import { type Breach, type Rule, testLaw } from './laws.ts';
import type { Token } from './tokens.ts';
import { type Import, isIn, type Source, sourcesBelow } from './tree.ts';

/** A library that is not here may not be imported in src at all: to add one is to add a row. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  hono: ['src/server/'],
  '@hono/node-server': ['src/server/'],
  'socket.io': ['src/server/'],
  'socket.io-client': ['src/upstream/'],
  undici: ['src/upstream/', 'src/store/keys/'],
  httpxy: ['src/upstream/'],
  ws: ['src/server/', 'src/upstream/'],
  jose: ['src/authn/', 'src/store/keys/'],
  'openid-client': ['src/authn/', 'src/store/keys/'],
  ioredis: ['src/store/redis/'],
  'rate-limiter-flexible': ['src/store/redis/', 'src/store/memory/'],
  pg: ['src/store/postgres/'],
  yaml: ['src/policy/', 'src/config/'],
  zod: ['src/policy/', 'src/config/'],
  'find-my-way': ['src/policy/'],
  pino: ['src/telemetry/'],
  '@prometheus-io/client': ['src/telemetry/'],
  '@opentelemetry/api': ['src/telemetry/'],
  commander: ['src/cli/', 'src/main'],
};

const isLibrary = ({ relative, target }: Import): boolean => !relative && !target.startsWith('node:');

const rooms: Rule = (sources) =>
  sources.flatMap(({ path, imports }) =>
    imports
      .filter((one) => isLibrary(one) && !isIn(path, ROOMS[one.target] ?? []))
      .map(({ target, line }) => ({
        path,
        line,
        what: `imports ${target} (${ROOMS[target]?.join(', ') ?? 'no room'})`,
      })),
  );

/** From `export` to the end of what others can see: the whole of a type, the head of a function. */
const visiblePart = (tokens: readonly Token[], from: number): readonly Token[] => {
  const isType = /^(interface|type)$/.test(tokens[from + 1]?.text ?? '');
  let depth = 0;
  for (let i = from + 1; i < tokens.length; i += 1) {
    const text = tokens[i]?.text ?? '';
    const before = tokens[i - 1]?.text ?? '';
    if (depth === 0 && (text === ';' || (!isType && text === '{' && /^(\)|=>|[\w>\]]+)$/.test(before))))
      return tokens.slice(from, i);
    if (/^[([{]$/.test(text)) depth += 1;
    if (/^[)\]}]$/.test(text)) depth -= 1;
    if (depth === 0 && text === '}' && tokens[from + 1]?.text === 'interface') return tokens.slice(from, i);
  }
  return tokens.slice(from);
};

/** Where an exported declaration of a source names something that came from a library, and which name it exports. */
const leaks = ({ path, tokens, imports }: Source): ReadonlyArray<Breach & { readonly exported: string }> => {
  const foreign = new Set(imports.filter(isLibrary).flatMap(({ locals }) => locals));
  if (foreign.size === 0) return [];
  return tokens.flatMap((token, index) => {
    if (token.text !== 'export' || token.kind !== 'word') return [];
    const visible = visiblePart(tokens, index);
    const exported = visible.find(({ text }) => !/^(export|async|function|const|type|interface|class)$/.test(text));
    const typed = visible.slice(2);
    const leak = typed.find(({ kind, text }, i) => kind === 'word' && foreign.has(text) && isTypePlace(typed, i));
    if (leak === undefined || exported === undefined) return [];
    return [{ path, line: leak.line, what: `${exported.text} mentions ${leak.text}`, exported: exported.text }];
  });
};

const isTypePlace = (tokens: readonly Token[], index: number): boolean =>
  /^(:|<|\||&|,|\(|=>|=|extends|readonly|keyof|\[|\{)$/.test(tokens[index - 1]?.text ?? '') &&
  !/^[(.:]$/.test(tokens[index + 1]?.text ?? '');

/** A breach is a leak that a file outside of the library's rooms takes up. */
const types: Rule = (sources) =>
  sources.flatMap((source) => {
    const libraries = source.imports.filter(isLibrary).map(({ target }) => target);
    const inside = libraries.flatMap((library) => ROOMS[library] ?? []);
    return leaks(source)
      .filter(({ exported }) =>
        sources.some(
          ({ path, imports }) =>
            !isIn(path, inside) &&
            imports.some(({ target, names }) => target === source.path && names.includes(exported)),
        ),
      )
      .map(({ path, line, what }) => ({ path, line, what }));
  });

const src = () => sourcesBelow('src');

describe('libraries', () => {
  testLaw({
    law: 2,
    fact: 'a library stays in its room',
    sources: src,
    rule: rooms,
    breaches: [
      { 'src/authz/a.ts': `import { Redis } from 'ioredis';` },
      { 'src/store/sqlite/a.ts': `import type { Redis } from 'ioredis';` },
      { 'src/server/a.ts': `import { Pool } from 'undici';` },
      { 'src/model/a.ts': `import lodash from 'lodash';` },
    ],
  });

  testLaw({
    law: 2,
    fact: "no exported type mentions a library's type outside of its room",
    sources: src,
    rule: types,
    breaches: [
      {
        'src/store/redis/a.ts': `import { Redis } from 'ioredis';\nexport const connect = (): Redis => new Redis();`,
        'src/gateway.ts': `import { connect } from './store/redis/a.ts';`,
      },
      {
        'src/upstream/a.ts': `import type { Pool as P } from 'undici';\nexport interface A { pool: P | undefined }`,
        'src/gateway.ts': `import type { A } from './upstream/a.ts';`,
      },
    ],
  });
});
