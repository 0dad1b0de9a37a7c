/**
 * What the request carries: nothing, one JSON object, or one form. The body is counted while it arrives, read strictly, and
 * is from here on only what was understood; the client's own bytes go no further.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BodySchema } from '../model/body-schema.ts';
import { type Evidence, judging } from '../model/evidence.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, ReadBody, ReadRequest, ReadRequestInShadow } from '../model/request.ts';
import type { BodyRule, RouteMatch } from '../model/route.ts';
import { type CollectTerms, collect } from './collect.ts';
import { conform } from './conform.ts';
import { type JsonLimits, readStrictJson } from './json.ts';
import { boundaryOf, parseMultipart } from './multipart.ts';
import { isRawNumber } from './raw-number.ts';
import { recording } from './sent.ts';

export type Read = (
  request: CanonicalRequest,
  match: RouteMatch,
  source: AsyncIterable<Buffer> | undefined,
) => Promise<ReadRequest> | ReadRequest;

/**
 * Returns the reader of bodies. It answers at once where the route takes none, and throws or rejects with a Rejection of
 * the stage `read`. A refused source is left where it stands: it is not destroyed, so that the refusal can be answered.
 */
export function read(limits: JsonLimits = {}): Read {
  return function readRequest(canonical, match, source) {
    const rule = match.route.body;
    if (rule.kind !== 'none') return readBody(canonical, rule, source);
    if (canonical.hasBody) throw new Rejection('body-unexpected', 'the route takes none');
    return { canonical, body: none } as ReadRequest;
  };

  async function readBody(
    canonical: CanonicalRequest,
    rule: Exclude<BodyRule, { kind: 'none' }>,
    source: AsyncIterable<Buffer> | undefined,
  ): Promise<ReadRequest> {
    const { headers } = canonical;
    if (!canonical.hasBody) throw new Rejection('body-missing', 'no body is announced');
    const encoding = headers.get('content-encoding');
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw new Rejection('body-encoding', 'the Content-Encoding');
    }
    const contentType = headers.get('content-type') ?? '';
    const boundary = rule.kind === 'multipart' ? boundaryOf(contentType) : undefined;
    if (rule.kind === 'json' ? !jsonType.test(contentType) : boundary === undefined) {
      throw new Rejection('body-type', `not ${rule.kind === 'json' ? 'application/json' : 'a form'}`);
    }
    const length = headers.get('content-length');
    const announced = length === undefined ? undefined : Number(length);
    if (announced !== undefined && announced > rule.maxBytes) {
      throw new Rejection('body-too-large', `${announced} bytes announced, ${rule.maxBytes} allowed`);
    }
    const bytes = await collectWhole(source, { maxBytes: rule.maxBytes, announced });
    const body: ReadBody =
      rule.kind === 'json'
        ? {
            kind: 'json',
            value: fitting(objectOf(await readStrictJson(bytes, limits)), rule.schema),
            bytes: bytes.length,
          }
        : readForm(bytes, boundary ?? '', rule.file);
    return { canonical, body } as ReadRequest;
  }
}

interface Arriving {
  readonly canonical: CanonicalRequest;
  /** The route by which the body is judged; undefined: it is not, and nothing of it is read. */
  readonly match: RouteMatch | undefined;
  readonly source: AsyncIterable<Buffer> | undefined;
  readonly evidence: Evidence;
}

export type ReadInShadow = (arriving: Arriving) => Promise<ReadRequestInShadow>;

/** Returns the reader for where nothing is refused: it keeps the bytes, and notes why they would have been. Never rejects. */
export const readInShadow =
  (strictly: Read): ReadInShadow =>
  async ({ canonical, match, source, evidence }) => {
    const recorded = source && recording(source);
    const judged = match && (await judging(evidence, () => strictly(canonical, match, recorded?.source)));
    const sent = canonical.hasBody ? recorded?.sent() : undefined;
    const refused = match !== undefined && judged === undefined;
    const read = { canonical, body: judged?.body ?? none, shadow: { sent, refused, evidence } };
    return read as ReadRequest & typeof read;
  };

const none: ReadBody = { kind: 'none' };
const jsonType = /^application\/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i;

const collectWhole = async (source: AsyncIterable<Buffer> | undefined, terms: CollectTerms): Promise<Buffer> => {
  const { chunks, total } = await collect(source, terms);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : assemble(chunks, total);
};

const sliceBytes = 4_194_304;

/** Copies a large body in slices: a copy of 64 MB at one go is long enough to be noticed by others. */
async function assemble(chunks: readonly Buffer[], total: number): Promise<Buffer> {
  const whole = Buffer.allocUnsafeSlow(total);
  let at = 0;
  let pauseAt = sliceBytes;
  for (const chunk of chunks) {
    at += chunk.copy(whole, at);
    if (at > pauseAt) {
      pauseAt = at + sliceBytes;
      await nextTurn();
    }
  }
  return whole;
}

function objectOf(value: JsonValue): JsonObject {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
  if (!isObject) throw new Rejection('body-malformed', 'the root is not an object');
  return value as JsonObject;
}

function fitting(value: JsonObject, schema: BodySchema | undefined): JsonObject {
  if (schema !== undefined) conform(value, schema);
  return value;
}

function readForm(bytes: Buffer, boundary: string, file: string): ReadBody {
  const parts = parseMultipart(bytes, boundary);
  const found = parts.find((part) => part.name === file);
  if (found === undefined) throw new Rejection('multipart-malformed', `the part ${file} is missing`);
  if (found.fileName === undefined) throw new Rejection('multipart-malformed', `the part ${file} is not a file`);
  return { kind: 'multipart', parts, bytes: bytes.length };
}
