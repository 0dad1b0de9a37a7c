import { describe, expect, test } from 'vitest';
import { read, readInShadow } from '../../src/body/read.ts';
import type { Evidence } from '../../src/model/evidence.ts';
import type { CanonicalRequest, SentBody } from '../../src/model/request.ts';
import type { RouteMatch } from '../../src/model/route.ts';
import { arriving, post } from '../support/bodies.ts';
import { policyFrom } from '../support/stages.ts';

const policy = policyFrom(`version: 1
name: p
routes:
  - { id: json, match: POST /json, body: { json: 20B } }
  - { id: none, match: POST /none }`);
const route = (path: string) => policy.match('POST', path) as RouteMatch;
const stage = readInShadow(read());

const take = async (canonical: CanonicalRequest, match: RouteMatch | undefined, source?: AsyncIterable<Buffer>) => {
  const evidence: Evidence = { findings: [], faults: [] };
  const { body, shadow } = await stage({ canonical, match, source, evidence });
  return { body, shadow, evidence };
};

const textOf = async (sent: SentBody | undefined): Promise<string | undefined> => {
  if (sent === undefined) return undefined;
  let text = '';
  for await (const chunk of sent) text += chunk.toString();
  return text;
};

const json = (length: number) => post('Content-Type', 'application/json', 'Content-Length', String(length));

describe('a body that parses', () => {
  test('is understood, and is there as it was sent', async () => {
    const { body, shadow, evidence } = await take(json(9), route('/json'), arriving('{ "a"', ': 1}'));
    expect(body).toEqual({ kind: 'json', value: { a: 1 }, bytes: 9 });
    expect(Array.isArray(shadow.sent)).toBe(true);
    expect(shadow.refused).toBe(false);
    expect(evidence.findings).toEqual([]);
  });
});

describe('a body that would be refused', () => {
  test.each([
    ['body-malformed', json(5), ['{"a":'], '{"a":'],
    ['body-duplicate-key', json(13), ['{"a":1,"a":2}'], '{"a":1,"a":2}'],
    ['body-type', post('Content-Type', 'text/plain', 'Content-Length', '4'), ['text'], 'text'],
    ['body-encoding', post('Content-Encoding', 'gzip', 'Content-Length', '4'), ['text'], 'text'],
    ['body-too-large', json(40), ['x'.repeat(25), 'y'.repeat(15)], 'x'.repeat(25) + 'y'.repeat(15)],
    [
      'body-too-large',
      post('Content-Type', 'application/json', 'Transfer-Encoding', 'chunked'),
      ['x'.repeat(15), 'y'.repeat(15), 'z'.repeat(15)],
      'x'.repeat(15) + 'y'.repeat(15) + 'z'.repeat(15),
    ],
  ] as const)('%s: goes on as it is', async (reason, canonical, chunks, text) => {
    const { body, shadow, evidence } = await take(canonical, route('/json'), arriving(...chunks));
    expect(evidence).toMatchObject({ findings: [{ would: 'deny', reason }], faults: [] });
    expect([body.kind, shadow.refused]).toEqual(['none', true]);
    expect(await textOf(shadow.sent)).toBe(text);
  });

  test('because none is taken', async () => {
    const { shadow, evidence } = await take(post('Content-Length', '4'), route('/none'), arriving('text'));
    expect(evidence.findings).toMatchObject([{ would: 'deny', reason: 'body-unexpected' }]);
    expect(await textOf(shadow.sent)).toBe('text');
  });

  test('because it is missing', async () => {
    const { shadow, evidence } = await take(post('Content-Length', '0'), route('/json'), arriving());
    expect(evidence.findings).toMatchObject([{ would: 'deny', reason: 'body-missing' }]);
    expect(shadow.sent).toBeUndefined();
  });
});

test('without a route nothing is read, and nothing is said', async () => {
  let pulled = 0;
  async function* source(): AsyncGenerator<Buffer> {
    pulled += 1;
    yield Buffer.from('text');
  }
  const { body, shadow, evidence } = await take(json(4), undefined, source());
  expect([pulled, body.kind, shadow.refused, evidence.findings]).toEqual([0, 'none', false, []]);
  expect(await textOf(shadow.sent)).toBe('text');
});

test('of a large body no more than the route’s cap is held', async () => {
  let pulled = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      pulled += 1;
      yield Buffer.alloc(10);
    }
  }
  const chunked = post('Content-Type', 'application/json', 'Transfer-Encoding', 'chunked');
  await take(chunked, route('/json'), endless());
  // 20 bytes are allowed: the third piece tells that there are more.
  expect(pulled).toBe(3);
});
