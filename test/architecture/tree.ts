/** The sources of the project as the laws see them: path, tokens, comments, imports. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { scan, type Token } from './tokens.ts';

export const ROOT = join(import.meta.dirname, '../..');

export interface Import {
  /** A path below the root for a relative specifier (`src/authz/claim.ts`), else the package's name. */
  readonly target: string;
  readonly relative: boolean;
  /** Erased at run time: `import type`, or nothing but `type` names. */
  readonly typeOnly: boolean;
  /** The names taken from the target, in its spelling; `*` for a namespace. */
  readonly names: readonly string[];
  /** The names under which they stand in this file. */
  readonly locals: readonly string[];
  readonly reExport: boolean;
  readonly line: number;
}

export interface Source {
  readonly path: string;
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly comments: ReadonlyArray<{ readonly text: string; readonly line: number }>;
  readonly imports: readonly Import[];
}

const packageName = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const resolveSpecifier = (path: string, specifier: string): Pick<Import, 'target' | 'relative'> =>
  specifier.startsWith('.')
    ? { target: posix.normalize(posix.join(posix.dirname(path), specifier)), relative: true }
    : { target: specifier.startsWith('node:') ? specifier : packageName(specifier), relative: false };

interface Clause {
  readonly typeOnly: boolean;
  readonly names: string[];
  readonly locals: string[];
}

/** Reads what stands between `import` or `export` and `from`. */
const readClause = (tokens: readonly Token[]): Clause => {
  const statementIsType = tokens[0]?.text === 'type' && tokens[1]?.text !== ',' && tokens.length > 1;
  const clause: Clause = { typeOnly: statementIsType, names: [], locals: [] };
  let everyNameIsType = true;
  const words = tokens.slice(statementIsType ? 1 : 0);
  let inBraces = false;
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i];
    if (word?.text === '{') inBraces = true;
    if (word === undefined || (word.kind !== 'word' && word.text !== '*')) continue;
    const isType = word.text === 'type' && words[i + 1]?.kind === 'word' && words[i + 1]?.text !== 'as';
    const name = isType ? words[++i] : word;
    if (!isType) everyNameIsType = false;
    const renamed = words[i + 1]?.text === 'as';
    if (renamed) i += 2;
    clause.names.push(inBraces || word.text === '*' ? (name?.text ?? '') : 'default');
    clause.locals.push((renamed ? words[i]?.text : name?.text) ?? '');
  }
  return { ...clause, typeOnly: statementIsType || (everyNameIsType && clause.names.length > 0) };
};

const unquote = (token: Token | undefined): string | undefined =>
  token?.kind === 'string' ? token.text.slice(1, -1) : undefined;

const importsOf = (path: string, tokens: readonly Token[]): Import[] => {
  const found: Import[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word' || !/^(import|export)$/.test(token.text) || tokens[index - 1]?.text === '.') continue;
    const next = tokens[index + 1];
    const base = { reExport: token.text === 'export', line: token.line };
    const bare = unquote(next) ?? (next?.text === '(' ? unquote(tokens[index + 2]) : undefined);
    if (bare !== undefined) {
      found.push({ ...base, ...resolveSpecifier(path, bare), typeOnly: false, names: ['*'], locals: [] });
      continue;
    }
    const end = tokens.findIndex((t, i) => i > index && (t.text === ';' || t.text === '=' || t.kind === 'string'));
    const specifier = tokens[end - 1]?.text === 'from' ? unquote(tokens[end]) : undefined;
    if (specifier === undefined) continue;
    found.push({ ...base, ...resolveSpecifier(path, specifier), ...readClause(tokens.slice(index + 1, end - 1)) });
  }
  return found;
};

/** Returns a source as the laws see it. `text` may be a sample that is in no file. */
export const sourceOf = (path: string, text: string): Source => {
  const { tokens, comments } = scan(text);
  return { path, text, tokens, comments, imports: importsOf(path, tokens) };
};

/** Returns the paths of all files below a folder of the project, from the root, in order; none when it is missing. */
export const filesBelow = (folder: string): string[] => {
  const absolute = join(ROOT, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => posix.join(folder, posix.relative(absolute, join(entry.parentPath, entry.name))))
    .sort();
};

const read = new Map<string, readonly Source[]>();

/** Returns the TypeScript sources below a folder, each read once. */
export const sourcesBelow = (folder: string): readonly Source[] => {
  const known = read.get(folder);
  if (known !== undefined) return known;
  const sources = filesBelow(folder)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => sourceOf(path, readFileSync(join(ROOT, path), 'utf8')));
  read.set(folder, sources);
  return sources;
};

/** Returns the room of a path: `authz` for `src/authz/claim.ts`, `main` for `src/main.ts`; undefined outside of src. */
export const roomOf = (path: string): string | undefined => {
  const [top, name] = path.split('/');
  return top === 'src' ? name?.replace(/\.ts$/, '') : undefined;
};

/** True when a path is one of the places: a folder (`src/config/`), or a file with or without its ending. */
export const isIn = (path: string, places: readonly string[]): boolean =>
  places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path.replace(/\.ts$/, '') === place));
