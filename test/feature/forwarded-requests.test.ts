/** What reaches the upstream, byte for byte, parses back to what was checked: its target, its JSON, the parts of its form. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readParts } from '../../demo/jaaz/multipart.ts';
import { isRawNumber } from '../../src/body/raw-number.ts';
import type { JsonValue } from '../../src/model/json.ts';
import type { ReadRequest } from '../../src/model/request.ts';
import type { RouteMatch } from '../../src/model/route.ts';
import { startComposedGateway } from '../support/composed-gateway.ts';
import { testIssuer } from '../support/issuer.ts';
import { type Plain, plainJson } from '../support/plain-json.ts';
import { type RecordingUpstream, recordingUpstream } from '../support/recording-upstream.ts';
import { policyFrom } from '../support/stages.ts';
import { exchange, portOf } from '../support/wire.ts';

const directory = mkdtempSync(join(tmpdir(), 'forwarded-'));
const issuer = await testIssuer(directory);
const token = await issuer.token('ann');

/** Routes of every form of request, on which nothing is owned. */
const FORMS = policyFrom(`version: 1
name: forms
routes:
  - { id: find, match: 'GET /find/{word}/of/{other}', query: [a, b_c, d-e] }
  - { id: rest, match: 'GET /rest/*', query: [q] }
  - { id: json, match: POST /json, body: { json: 64KiB } }
  - { id: form, match: POST /form, body: { multipart: 64KiB, file: file } }
`);

let upstream: RecordingUpstream;
let gateway: Awaited<ReturnType<typeof startComposedGateway>>;
/** What was checked since the last request. */
const checks: Array<{ readonly request: ReadRequest; readonly match: RouteMatch; readonly json: Plain | undefined }> =
  [];

beforeAll(async () => {
  upstream = await recordingUpstream();
  gateway = await startComposedGateway({
    upstreamUrl: upstream.url,
    issuer,
    policy: FORMS,
    change: (stages) => ({
      ...stages,
      authorize(request, match, principal) {
        // Now, because what rewrites the body changes it in place.
        checks.push({ request, match, json: request.body.kind === 'json' ? meaningOf(request.body.value) : undefined });
        return stages.authorize(request, match, principal);
      },
    }),
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});
beforeEach(() => void upstream.take());

/** Sends a request after which the connection ends; resolves with the status, 0 where there is none. */
const say = async (bytes: Buffer): Promise<number> =>
  (await exchange(portOf(gateway.url), bytes)).answers[0]?.status ?? 0;

const plain = fc.stringMatching(/^[A-Za-z0-9._~!$&'()*+,=:@-]{1,8}$/).filter((text) => !/^\.{1,2}$/.test(text));
const value = fc.oneof(
  fc
    .string({ unit: fc.constantFrom('a', ' ', '&', '=', '+', '%', '#', '/', 'é', '漢', '😀', '\u2028'), maxLength: 8 })
    .map(encodeURIComponent),
  fc.stringMatching(/^[A-Za-z0-9 %+/?:@=;~!$'()*,_-]{0,8}$/),
);
const pairs = fc.array(fc.tuple(fc.constantFrom('a', 'b_c', 'd-e', 'q', 'x'), value), { maxLength: 4 });

/** As the upstream reads it (contract, section 8): names and values decoded, `+` a space, the last of a name. */
const queryOf = (text: string): Map<string, string> =>
  new Map(
    text
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const [name = '', ...rest] = pair.split('=');
        return [decodeURIComponent(name), decodeURIComponent(rest.join('=').replaceAll('+', ' '))] as const;
      }),
  );

test('a target that is forwarded parses back to what was checked', async () => {
  let forwarded = 0;
  const paths = fc.oneof(
    fc.tuple(plain, plain).map(([one, other]) => `/find/${one}/of/${other}`),
    fc.array(plain, { minLength: 1, maxLength: 3 }).map((segments) => `/rest/${segments.join('/')}`),
  );
  const property = fc.asyncProperty(paths, pairs, async (path, query) => {
    checks.length = 0;
    const target = `${path}${query.length > 0 ? '?' : ''}${query.map((pair) => pair.join('=')).join('&')}`;
    const head = `GET ${target} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const status = await say(Buffer.from(head, 'latin1'));
    const arrived = upstream.take();
    if (arrived.length === 0) {
      expect(status).toBe(400);
      return;
    }
    expect(arrived).toHaveLength(1);
    const [sent = '', text = ''] = arrived[0]?.target.split(/\?(.*)/s) ?? [];
    const { request, match } = checks[0] ?? expect.fail('forwarded unchecked');
    expect(sent).toBe(request.canonical.path);
    const segments = sent.split('/').slice(1);
    const { word, other, '*': rest } = match.parameters;
    expect(match.route.id === 'find' ? ['find', word, 'of', other] : ['rest', ...(rest?.split('/') ?? [])]).toEqual(
      segments,
    );
    const allowed = [...request.canonical.query].filter(([name]) => match.route.query.has(name));
    expect(queryOf(text)).toEqual(new Map(allowed));
    forwarded += 1;
  });
  await fc.assert(property, { numRuns: 200 });
  expect(forwarded).toBeGreaterThan(10);
});

/** What a value means that was read, in the words of the plain reader. */
const meaningOf = (value: JsonValue): Plain => {
  if (typeof value === 'string') return { text: value };
  if (typeof value === 'number') return plainJson(String(value));
  if (value === null || typeof value === 'boolean') return { word: String(value) };
  if (isRawNumber(value)) return plainJson(value.rawJSON);
  if (Array.isArray(value)) return { list: value.map(meaningOf) };
  return { object: new Map(Object.entries(value).map(([key, one]) => [key, meaningOf(one)])) };
};

const character = fc.oneof(
  fc.constantFrom('a', 'é', '漢', '😀', '\u2028', '\u007f', ' ', '/'),
  fc.constantFrom('\\"', '\\\\', '\\/', '\\b', '\\n', '\\u0061', '\\u0000', '\\u00e9', '\\ud83d\\ude00', '\\ud800'),
);
const string = fc.array(character, { maxLength: 5 }).map((parts) => `"${parts.join('')}"`);
const key = fc.oneof(
  fc.constantFrom(
    '"a"',
    '"\\u0061"',
    '"b"',
    '"__proto__"',
    '"constructor"',
    '"rawJSON"',
    '"0"',
    '"1"',
    '""',
    '"toJSON"',
  ),
  string,
);
const number = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '1.0',
    '1e2',
    '1E+2',
    '-0.0',
    '1e999',
    '0.1',
    '12345678901234567890',
    '9007199254740993',
    '5e-324',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map(String),
);
const space = fc.constantFrom('', '', ' ', '\n\t');
const { json } = fc.letrec<{ json: string; object: string; list: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(string, number, fc.constantFrom('true', 'false', 'null')),
    tie('object'),
    tie('list'),
  ),
  object: fc
    .array(fc.tuple(space, key, tie('json')), { maxLength: 4 })
    .map((members) => `{${members.map(([gap, name, one]) => `${gap}${name}${gap}:${gap}${one}`).join(',')}}`),
  list: fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
}));
const top = fc
  .array(fc.tuple(key, json), { maxLength: 5 })
  .map((members) => `{${members.map((pair) => pair.join(':')).join(', ')}}`);

const post = (path: string, type: string, body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nContent-Type: ${type}\r\n`,
    ),
    Buffer.from(`Content-Length: ${body.length}\r\n\r\n`),
    body,
  ]);

test('a JSON body that is forwarded means what was checked, and what was sent', async () => {
  let forwarded = 0;
  const property = fc.asyncProperty(top, async (text) => {
    checks.length = 0;
    const status = await say(post('/json', 'application/json', Buffer.from(text)));
    const arrived = upstream.take();
    if (arrived.length === 0) {
      expect(status).toBe(400);
      return;
    }
    expect(arrived).toHaveLength(1);
    const bytes = arrived[0]?.body ?? Buffer.alloc(0);
    const meant = plainJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    expect(meant).toEqual(checks[0]?.json);
    expect(meant).toEqual(plainJson(text));
    forwarded += 1;
  });
  await fc.assert(property, { numRuns: 300 });
  expect(forwarded).toBeGreaterThan(10);
});

const content = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom('\r\n--', '--b--', '\r\n--c\r\n', '\r\n\r\n', 'Content-Disposition: form-data; name="x"')
    .map((text) => Buffer.from(text)),
);
const part = fc.record({
  name: fc.constantFrom('file', 'a', 'b', 'x-y'),
  fileName: fc.option(fc.constantFrom('cat.png', 'a.b.JPG', 'none', '../../etc/passwd', 'ü;x.gif', 'a.toolong'), {
    nil: undefined,
  }),
  type: fc.option(fc.constantFrom('image/png', 'text/plain'), { nil: undefined }),
  content,
});

const parts = fc.uniqueArray(part, { minLength: 1, maxLength: 3, selector: ({ name }) => name });

test('a form that is forwarded has the parts that were checked', async () => {
  let forwarded = 0;
  const property = fc.asyncProperty(
    fc.oneof(parts, fc.array(part, { minLength: 1, maxLength: 3 })),
    fc.constantFrom('b', 'x-1'),
    async (sent, boundary) => {
      checks.length = 0;
      const heads = sent.map(({ name, fileName, type }) => {
        const file = fileName === undefined ? '' : `; filename="${fileName}"`;
        return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${type ? `Content-Type: ${type}\r\n` : ''}\r\n`;
      });
      const body = Buffer.concat([
        ...sent.flatMap((one, index) => [Buffer.from(heads[index] ?? ''), one.content, Buffer.from('\r\n')]),
        Buffer.from(`--${boundary}--\r\n`),
      ]);
      const status = await say(post('/form', `multipart/form-data; boundary=${boundary}`, body));
      const arrived = upstream.take();
      if (arrived.length === 0) {
        expect(status).toBe(400);
        return;
      }
      expect(arrived).toHaveLength(1);
      const [one] = arrived;
      const type = one?.headers.map((text) => /^content-type: (.*)$/i.exec(text)?.[1]).find(Boolean);
      const read = checks[0]?.request.body;
      if (one === undefined || read?.kind !== 'multipart') return expect.fail('forwarded unchecked');
      const got = readParts(type, one.body).map(({ name, data }) => ({ name, content: data.toString('latin1') }));
      expect(got).toEqual(read.parts.map(({ name, content: bytes }) => ({ name, content: bytes.toString('latin1') })));
      expect(got).toEqual(sent.map(({ name, content: bytes }) => ({ name, content: bytes.toString('latin1') })));
      forwarded += 1;
    },
  );
  await fc.assert(property, { numRuns: 200 });
  expect(forwarded).toBeGreaterThan(10);
});
