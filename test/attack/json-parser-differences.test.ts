/** Bodies that Python reads and we do not, or reads differently: what was checked would not be what is done. */
import { describe, expect, test } from 'vitest';
import { parseStrictJson, readStrictJson } from '../../src/body/json.ts';
import { read } from '../../src/body/read.ts';
import { arriving, post, refusalOf, routeTaking } from '../support/bodies.ts';
import { hostileJsonBodies, hostileJsonRoots, hostileJsonTypes } from '../support/hostile-bodies.ts';

const readRequest = read();
const route = routeTaking({ kind: 'json', maxBytes: 10_000_000 });
const chunked = ['Transfer-Encoding', 'chunked'] as const;

describe.each(hostileJsonBodies)('$why', ({ body, reason }) => {
  test(`is refused: ${reason}`, async () => {
    const canonical = post('Content-Type', 'application/json', ...chunked);
    expect(await refusalOf(() => parseStrictJson(body))).toBe(`${reason} 400`);
    expect(await refusalOf(() => readStrictJson(body))).toBe(`${reason} 400`);
    expect(await refusalOf(() => readRequest(canonical, route, arriving(body)))).toBe(`${reason} 400`);
  });
});

test.each(hostileJsonRoots)('$why is refused where an object is meant', async ({ body }) => {
  const canonical = post('Content-Type', 'application/json', ...chunked);
  expect(await refusalOf(() => readRequest(canonical, route, arriving(body)))).toBe('body-malformed 400');
});

test.each(hostileJsonTypes)('the content type %j is refused', async (type) => {
  const canonical = post('Content-Type', type, ...chunked);
  expect(await refusalOf(() => readRequest(canonical, route, arriving('{}')))).toBe('body-type 415');
});

test('no content type at all is refused', async () => {
  expect(await refusalOf(() => readRequest(post(...chunked), route, arriving('{}')))).toBe('body-type 415');
});
