/**
 * What a route sees of a request and what it gives back. The reading of the target is uvicorn's, not Node's: one
 * percent-decoding of the whole path before routing (contract section 8).
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { dumpsAnswer, isObject, type Json, type JsonObject, loads } from './python-json.ts';

export interface Call {
  readonly method: string;
  /** Decoded once; may hold anything, `\n` and `\0` included. */
  readonly path: string;
  readonly rawQuery: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  readonly params: Readonly<Record<string, string>>;
  body(): Promise<Buffer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As in FastAPI: `/api/canvas/{id}`; a parameter never holds a slash. */
  readonly path: string;
  readonly handle: Handler;
}

/** An error with an answer of its own, `{"detail": …}`; any other throw is a 500 in plain text (contract section 1). */
export class Problem extends Error {
  readonly status: number;
  readonly detail: Json;

  constructor(status: number, detail: Json) {
    super(`${status}`);
    this.status = status;
    this.detail = detail;
  }
}

/** Returns an answer in JSON, or throws where Python's serialiser would. */
export function json(value: Json, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: dumpsAnswer(value) };
}

/** Returns an answer in plain text. */
export function text(body: string, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body };
}

/** Returns the body of a raw-JSON route whatever its Content-Type says, or throws (500): an object is required. */
export async function rawJson(call: Call): Promise<JsonObject> {
  const value = loads(await call.body());
  if (!isObject(value)) throw new TypeError('the body is not an object');
  return value;
}

interface Field {
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'object' | 'list';
  readonly optional?: boolean;
}

/** Returns the body of a typed route, checked as pydantic 2 does, or throws a 422 (contract section 8, "Typed routes"). */
export async function typedJson(call: Call, fields: readonly Field[]): Promise<JsonObject> {
  const type = call.headers['content-type'];
  const bytes = await call.body();
  if (type !== undefined && !/^[^;/]+\/(?:[^;]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw invalid('model_attributes_type', ['body'], bytes.toString('utf8').toWellFormed());
  }
  const value = parsedOrInvalid(bytes);
  if (!isObject(value)) throw invalid('model_attributes_type', ['body'], value);
  for (const field of fields) {
    const given = value[field.name];
    if (given === undefined || (given === null && field.optional === true)) {
      if (field.optional === true) continue;
      throw invalid('missing', ['body', field.name], value);
    }
    value[field.name] = coerced(field, given);
  }
  return value;
}

function parsedOrInvalid(bytes: Buffer): Json {
  try {
    return loads(bytes);
  } catch {
    throw invalid('json_invalid', ['body', 0], {});
  }
}

/** Only bool is coerced ("yes", 1, …); a number for a string is refused on pydantic 2. */
function coerced(field: Field, given: Json): Json {
  if (field.type === 'string' && typeof given === 'string') return given;
  if (field.type === 'object' && isObject(given)) return given;
  if (field.type === 'list' && Array.isArray(given)) return given;
  if (field.type === 'boolean') {
    const word = String(given).toLowerCase();
    if (['true', '1', 'yes', 'on', 't', 'y'].includes(word)) return true;
    if (['false', '0', 'no', 'off', 'f', 'n'].includes(word)) return false;
  }
  throw invalid(`${field.type}_type`, ['body', field.name], given);
}

/** Returns a 422 in FastAPI's shape, which echoes the input back. */
export function invalid(type: string, where: readonly (string | number)[], input: Json): Problem {
  const message = type === 'missing' ? 'Field required' : `Input should be valid (${type})`;
  return new Problem(422, [{ type, loc: [...where], msg: message, input }]);
}

/** Returns a query parameter, or throws a 422. */
export function queryOf(call: Call, name: string): string {
  const value = call.query.get(name);
  if (value === undefined) throw invalid('missing', ['query', name], null);
  return value;
}

export interface Target {
  readonly path: string;
  readonly query: string;
}

/** Returns what uvicorn makes of a request target: authority and fragment cut off, the path decoded once. */
export function readTarget(raw: string): Target {
  const [withoutFragment = ''] = raw.split('#', 1);
  const origin = withoutFragment.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '');
  const mark = origin.indexOf('?');
  const path = mark < 0 ? origin : origin.slice(0, mark);
  return { path: unquote(path) || '/', query: mark < 0 ? '' : origin.slice(mark + 1) };
}

/** Python's `unquote`: bad escapes are kept, bad UTF-8 is replaced. */
function unquote(escaped: string): string {
  return escaped.replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}

/** Returns the query's pairs: only `&` separates, names are decoded too, the last of a name wins. */
export function readQuery(query: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    pairs.set(unquote(name.replaceAll('+', ' ')), unquote(value.replaceAll('+', ' ')));
  }
  return pairs;
}

/** Returns the whole body; there is no limit anywhere (contract section 8, "Sizes"). */
export async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
