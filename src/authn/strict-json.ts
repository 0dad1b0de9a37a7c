/**
 * JSON as a token or a key set may hold it: an object, in UTF-8, shallow, with no name twice. `JSON.parse` alone keeps
 * the last of two equal names, so that two readers of one token may see two users (RFC 8725 section 2.4, RFC 8259
 * section 4).
 */

/** The members of a JSON object; read them with `member`, for a name may be `__proto__` or `constructor`. */
export type JsonMembers = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 16;

/** In a text that JSON.parse accepted these are all the tokens that matter; a name is a string before a colon. */
const structure = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}:]/g;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws a SyntaxError when an object names a key twice, escapes undone, or when values are nested too deeply. */
const checkStructure = (text: string): void => {
  const open: Set<string>[] = [];
  let lastString = '';
  for (const [token] of text.matchAll(structure)) {
    if (token === '{' || token === '[') {
      if (open.push(new Set()) > MAX_DEPTH) throw new SyntaxError(`nested more than ${MAX_DEPTH} levels deep`);
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (token === ':') {
      const names = open.at(-1);
      const name: unknown = JSON.parse(lastString);
      if (names === undefined || typeof name !== 'string') throw new SyntaxError('a name outside of an object');
      if (names.has(name)) throw new SyntaxError('a name stands twice in one object');
      names.add(name);
    } else {
      lastString = token;
    }
  }
};

/** Returns whether a value is a JSON object, neither null nor an array. */
export const isJsonObject = (value: unknown): value is JsonMembers =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Returns the object that the bytes spell, or throws a SyntaxError or TypeError. */
export const readJsonObject = (bytes: Uint8Array): JsonMembers => {
  const text = utf8.decode(bytes);
  const value: unknown = JSON.parse(text);
  if (!isJsonObject(value)) throw new SyntaxError('not a JSON object');
  checkStructure(text);
  return value;
};

/** Returns an own member, or undefined. */
export const member = (object: JsonMembers, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined;
