/** Bytes of any kind on a real connection: of what the table does not list, nothing reaches the upstream. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { everythingIsMine, startComposedGateway } from '../support/composed-gateway.ts';
import { overrideHeaders } from '../support/hostile.ts';
import { testIssuer } from '../support/issuer.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';
import { type RecordingUpstream, recordingUpstream } from '../support/recording-upstream.ts';
import { exchange, portOf } from '../support/wire.ts';

const directory = mkdtempSync(join(tmpdir(), 'unlisted-'));
const issuer = await testIssuer(directory);
const token = await issuer.token('ann');

let upstream: RecordingUpstream;
let gateway: Awaited<ReturnType<typeof startComposedGateway>>;

beforeAll(async () => {
  upstream = await recordingUpstream();
  const policy = jaazPolicy(...withoutLimits);
  // Whatever is owned is the caller's, lest a refusal for want of ownership hide that a route was reached.
  gateway = await startComposedGateway({ upstreamUrl: upstream.url, issuer, policy, change: everythingIsMine });
});
afterAll(async () => {
  await gateway.close();
  await upstream[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

interface Row {
  readonly method: string;
  readonly path: string;
  readonly pattern: RegExp;
  readonly open: boolean;
}

const patternOf = (path: string): RegExp =>
  new RegExp(
    `^${path
      .replace(/[.]/g, '\\.')
      .replace(/\{\w+\}/g, '[^/?#%]+')
      .replace('*', '[^?#%]+')}$`,
  );

/** The table as its golden file has it, read by none of the gateway's code. */
const table: readonly Row[] = readFileSync('test/policies/jaaz.routes.txt', 'utf8')
  .trimEnd()
  .split('\n')
  .map((line): Row => {
    const [method = '', path = '', , access = '', role] = line.split(/ +/);
    return { method, path, pattern: patternOf(path), open: access !== 'denied' && role !== 'admin' };
  });

interface Page {
  readonly match: string;
  readonly 'forward-to'?: string;
}
const { routes: pages } = parse(readFileSync('policies/jaaz.yaml', 'utf8')) as { routes: readonly Page[] };

/** What the page at a path of the user interface is forwarded to. */
const pageFor = (path: string): string | undefined =>
  pages.find(({ match, 'forward-to': to }) => to !== undefined && patternOf(match.split(' ')[1] ?? '').test(path))?.[
    'forward-to'
  ];

const isListed = (method: string, target: string): boolean =>
  table.some((row) => row.open && row.method === method && row.pattern.test(target));

const IDS: Readonly<Record<string, string>> = {
  '{canvas}': 'c-1',
  '{session}': 's_1',
  '{file}': 'im_aaaaaaaa.png',
  '*': 'x.js',
};
const known = table.map(({ method, path, open }) => ({
  method,
  path: path.replace(/\{\w+\}|\*/g, (name) => IDS[name] ?? '7'),
  open,
}));

const FRAGMENTS = [
  ...['%2f', '%2e', '%2E%2e', '%0a', '%00', '%61', '%5c', '%25', '%', '//', '/', '/./', '/..', '/../', '..', '.', '\\'],
  ...[
    ';x=1',
    '?',
    '?a=b',
    '?canvas_id=x&a',
    '#',
    '#f',
    ' ',
    '\t',
    '\u00e9',
    '+',
    '~',
    '@',
    ':',
    '*',
    '{canvas}',
    'A',
    '\r\nX: y',
  ],
];

/** Changes a text at some places: something comes in, something falls out, a letter changes its case or its spelling. */
const changed = (text: string): fc.Arbitrary<string> =>
  fc
    .array(
      fc.tuple(
        fc.integer({ min: 0, max: text.length }),
        fc.constantFrom('in', 'out', 'case', 'escape'),
        fc.constantFrom(...FRAGMENTS),
      ),
      { maxLength: 2 },
    )
    .map((changes) =>
      changes.reduce((now, [at, kind, fragment]) => {
        const [before, letter, after] = [now.slice(0, at), now.slice(at, at + 1), now.slice(at + 1)];
        if (kind === 'in') return `${before}${fragment}${letter}${after}`;
        if (kind === 'out') return before + after;
        if (kind === 'case') return before + letter.toUpperCase() + after;
        return letter === '' ? now : `${before}%${letter.charCodeAt(0).toString(16).padStart(2, '0')}${after}`;
      }, text),
    );

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'get',
  'Get',
  'PROPFIND',
  'M-SEARCH',
];
const row = fc.oneof(fc.constantFrom(...known.filter(({ open }) => open)), fc.constantFrom(...known));
const line = row.chain(({ method, path }) =>
  fc.tuple(
    fc.oneof({ weight: 4, arbitrary: fc.constant(method) }, { weight: 1, arbitrary: fc.constantFrom(...METHODS) }),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(path) },
      { weight: 6, arbitrary: changed(path) },
      { weight: 2, arbitrary: fc.constantFrom('/', ...FRAGMENTS).map((fragment) => path + fragment) },
      { weight: 2, arbitrary: fc.constantFrom(`${path}/`, `/${path}`, path.replace(/[^/]*$/, ''), path.toUpperCase()) },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom('http://127.0.0.1', 'http://evil.example', '//evil.example', '*')
          .map((prefix) => prefix + path),
      },
      { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 20 }).map((text) => `/${text}`) },
    ),
  ),
);
const header = fc.oneof(
  fc.constantFrom(...overrideHeaders),
  fc.tuple(fc.stringMatching(/^[A-Za-z-]{1,12}$/), fc.string({ maxLength: 12 })),
  fc.constantFrom<readonly [string, string]>(
    ['Transfer-Encoding', 'chunked'],
    ['Content-Length', '7'],
    ['Connection', 'Upgrade, X'],
    ['Upgrade', 'h2c'],
    ['Host', 'other'],
  ),
);
const bodies = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '{}',
      '{"canvas_id":"c-1","session_id":"s_1","messages":[]}',
      '0\r\n\r\nGET /api/config HTTP/1.1\r\n\r\n',
    ),
  },
);

test('no request that the table does not list is ever forwarded', async () => {
  let forwarded = 0;
  const property = fc.asyncProperty(
    line,
    fc.oneof(fc.constant([]), fc.array(header, { maxLength: 2 })),
    bodies,
    async ([method, target], headers, body) => {
      const framing = body === '' ? [] : ['Content-Type: application/json', `Content-Length: ${body.length}`];
      const lines = [
        'Host: gateway',
        'Connection: close',
        `Authorization: Bearer ${token}`,
        ...headers.map((pair) => pair.join(': ')),
        ...framing,
      ];
      // Whatever the framing promises has come with this: nobody waits for more.
      const tail = headers.some(([name]) => /^(?:transfer-encoding|content-length)$/i.test(name))
        ? '0\r\n\r\n\r\n'
        : '';
      const bytes = `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}${tail}`;
      await exchange(portOf(gateway.url), bytes);
      const arrived = upstream.take();
      for (const one of arrived) {
        expect(isListed(one.method, one.target), `${one.method} ${one.target}`).toBe(true);
        const own = ['/api/list_models', '/api/list_tools', '/api/canvas/', '/api/chat_session/'];
        // What the gateway asks for itself, before it forwards.
        if (one.method === 'GET' && method === 'POST' && own.some((path) => one.target.startsWith(path))) continue;
        // Node takes several spaces for one, and a line without a version for a whole one.
        const path = target.split(/[?\r]/, 1)[0]?.trim() ?? '';
        expect([path, pageFor(path)], `${method} ${path} as ${one.target}`).toContain(one.target);
        expect(one.method).toBe(method);
        forwarded += 1;
      }
    },
  );
  await fc.assert(property, { numRuns: 600 });
  // Otherwise it would say nothing.
  expect(forwarded).toBeGreaterThan(10);
  expect(upstream.take()).toEqual([]);
});
