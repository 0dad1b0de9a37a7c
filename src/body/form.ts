/**
 * A form as a page without script sends it (application/x-www-form-urlencoded): a few short fields, each of them once. It
 * is read for the gateway's own endpoints alone, and as strictly as everything else: what could be read in two ways is not.
 */
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import { collect } from './collect.ts';

/** A logout token is the largest thing that is sent this way, and is a few kilobytes. */
const MAX_BYTES = 65_536;
const MAX_FIELDS = 50;

export type ReadForm = (
  request: CanonicalRequest,
  source: AsyncIterable<Buffer> | undefined,
) => Promise<ReadonlyMap<string, string>>;

/**
 * Resolves with the fields, of which there are none where the request has no body, or rejects with a Rejection of the stage
 * `read`. A refused source is left where it stands, so that the refusal can be answered.
 */
export const readForm: ReadForm = async ({ headers, hasBody }, source) => {
  if (!hasBody) return NOTHING;
  const encoding = headers.get('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Rejection('body-encoding', 'the Content-Encoding');
  }
  if (!TYPE.test(headers.get('content-type') ?? '')) throw new Rejection('body-type', 'not a form of this kind');
  const length = headers.get('content-length');
  const announced = length === undefined ? undefined : Number(length);
  if (announced !== undefined && announced > MAX_BYTES)
    throw new Rejection('body-too-large', `${announced} bytes announced, ${MAX_BYTES} allowed`);
  const { chunks, total } = await collect(source, { maxBytes: MAX_BYTES, announced });
  // One character for each byte.
  return fieldsOf(Buffer.concat(chunks, total).toString('latin1'));
};

const NOTHING: ReadonlyMap<string, string> = new Map();
const TYPE = /^application\/x-www-form-urlencoded(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i;

const NAME = /^[A-Za-z0-9_.-]{1,64}$/;

const fieldsOf = (text: string): ReadonlyMap<string, string> => {
  const pairs = text === '' ? [] : text.split('&', MAX_FIELDS + 1);
  if (pairs.length > MAX_FIELDS) throw new Rejection('body-malformed', `more than ${MAX_FIELDS} fields`);
  const fields = new Map<string, string>();
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = equals === -1 ? pair : pair.slice(0, equals);
    if (!NAME.test(name)) throw new Rejection('body-malformed', 'the name of a field');
    if (fields.has(name)) throw new Rejection('body-duplicate-key', 'a field is there twice');
    fields.set(name, equals === -1 ? '' : textOf(pair.slice(equals + 1)));
  }
  return fields;
};

/** What a browser leaves as it is (WHATWG URL, section 1.3), escapes, and the space. */
const ENCODED = /^(?:[A-Za-z0-9*._+~!$'(),/:;?@[\]-]|%[0-9A-Fa-f]{2})*$/;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const textOf = (encoded: string): string => {
  if (!ENCODED.test(encoded)) throw new Rejection('body-malformed', 'a character that has no place in a form');
  const bytes = encoded
    .replaceAll('+', ' ')
    .replace(/%(..)/g, (_escape, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  let value: string;
  try {
    value = utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch (cause) {
    throw new Rejection('body-malformed', 'a value is not UTF-8', { cause });
  }
  // A line break would come from a text field of several lines, of which none of the forms here has one.
  if (CONTROL.test(value)) throw new Rejection('body-malformed', 'a control character');
  return value;
};
