import { describe, expect, test } from 'vitest';
import { writeJson } from '../../src/body/json-write.ts';
import { encodeMultipart } from '../../src/body/multipart.ts';
import type { Grant } from '../../src/model/grant.ts';
import { rewrite } from '../../src/rewrite/rewrite.ts';
import { refusalOf } from '../support/bodies.ts';
import { type Arriving, arrive, policyFrom, principalOf } from '../support/stages.ts';

const policy = policyFrom(`
version: 1
name: p
resources: { canvas: { id: '[a-z]{1,9}', reserved: [list] } }
catalogues: { models: { get: /models, keys: [model], max-age: 1s } }
routes:
  - { id: root, match: GET /, access: public }
  - { id: rest, match: 'GET /assets/*', access: public }
  - { id: read, match: 'GET /c/{canvas}/of/{other}', query: [page, q] }
  - { id: json, match: POST /json, body: { json: 1MiB }, timeout: 15m, rewrite: [{ set: { user_id: user.id } }, { catalogue: { field: text_model, from: models } }] }
  - { id: form, match: POST /form, body: { multipart: 1MiB, file: file } }
  - { id: cached, match: GET /cached, cache: { max-age: 1m } }
  - { id: list, match: GET /list, filter: { drop: [a], max: 1KiB } }
`);

const stage = rewrite({
  catalogue: async () => [{ model: 'a', url: 'right' }],
  writeJson: async (value) => [writeJson(value)],
  writeMultipart: encodeMultipart,
});

const signing = rewrite({
  catalogue: async () => [],
  writeJson: async (value) => [writeJson(value)],
  writeMultipart: encodeMultipart,
  assertion: { header: 'x-proof', sign: ({ principal, method, target }) => `${principal.owner} ${method} ${target}` },
});

const outbound = async (arriving: Arriving, user: string | undefined = 'alice', by = stage) => {
  const { request, match } = await arrive(policy, arriving);
  const grant = { request, owner: 'x', resources: [], claims: [], releases: [] } as unknown as Grant;
  const result = await by(grant, match, user === undefined ? undefined : principalOf(user));
  const bytes =
    result.body === undefined ? undefined : Buffer.concat([result.body as Buffer | readonly Buffer[]].flat());
  return { ...result, text: bytes?.toString() };
};
const targetOf = async (target: string) => (await outbound({ method: 'GET', target })).target;

describe('the target', () => {
  test.each([
    ['/', '/'],
    ['/?a=b', '/'],
    ['/assets/a/b.js', '/assets/a/b.js'],
    ['/assets/a.js?v=1', '/assets/a.js'],
    ['/c/abc/of/x', '/c/abc/of/x'],
    ['/c/abc/of/x?page=2', '/c/abc/of/x?page=2'],
    ['/c/abc/of/x?evil=1&page=2&__proto__=3', '/c/abc/of/x?page=2'],
    ['/c/abc/of/x?q=a%26page%3D9&page=2', '/c/abc/of/x?page=2&q=a%26page%3D9'],
    ['/c/abc/of/x?q=a+b', '/c/abc/of/x?q=a%20b'],
    ['/c/abc/of/x?q', '/c/abc/of/x?q='],
    ['/c/abc/of/x?q=%23', '/c/abc/of/x?q=%23'],
    ['/c/abc/of/a:b@c', '/c/abc/of/a:b@c'],
  ])('%s leaves as %s', async (target, expected) => {
    expect(await targetOf(target)).toBe(expected);
  });
});

describe('a body', () => {
  test('is our own serialisation, after the operations', async () => {
    const body = '{ "text_model" : {"model":"a","url":"evil"}, "user_id": 5, "n": 1.0, "__proto__": {"a":1} }';
    const result = await outbound({ method: 'POST', target: '/json', body });
    expect(result.text).toBe(
      '{"text_model":{"model":"a","url":"right"},"user_id":"test|alice","n":1.0,"__proto__":{"a":1}}',
    );
    expect(result.headers.slice(-2)).toEqual(['content-type', 'application/json']);
    expect(result).toMatchObject({ method: 'POST', target: '/json', timeoutMillis: 900_000 });
  });

  test('that an operation refuses does not leave', async () => {
    const body = { text_model: { model: 'b' } };
    expect(await refusalOf(() => outbound({ method: 'POST', target: '/json', body }))).toBe('catalogue-unknown 400');
  });

  test('of a form has a boundary of ours', async () => {
    const form = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nDATA\r\n--x--\r\n';
    const headers = ['Content-Type', 'multipart/form-data; boundary=x'];
    const result = await outbound({ method: 'POST', target: '/form', headers, body: form });
    const type = result.headers[result.headers.indexOf('content-type') + 1] ?? '';
    const boundary = /^multipart\/form-data; boundary=(.{10,})$/.exec(type)?.[1] ?? 'none';
    expect(result.text?.startsWith(`--${boundary}\r\n`)).toBe(true);
    expect(result.text).toContain('DATA');
  });

  test('is not there where none was read', async () => {
    const result = await outbound({ method: 'GET', target: '/list' });
    expect(result.body).toBeUndefined();
    expect(result.headers).not.toContain('content-type');
  });
});

test('a route whose answer is read asks for all of it', async () => {
  const headers = ['Range', 'bytes=0-1', 'If-None-Match', '"a"'];
  expect((await outbound({ method: 'GET', target: '/list', headers })).headers).not.toContain('range');
  expect((await outbound({ method: 'GET', target: '/assets/a', headers })).headers).toContain('range');
});

describe('a signed word', () => {
  const proofOf = async (arriving: Arriving, user?: string) => {
    const { headers } = await outbound(arriving, user, signing);
    const at = headers.indexOf('x-proof');
    return at === -1 ? undefined : headers[at + 1];
  };

  test('is about the target as it leaves, not as it came', async () => {
    const arriving = { method: 'GET', target: '/c/abc/of/x?evil=1&q=a+b&page=2', headers: ['X-Proof', 'evil'] };
    expect(await proofOf(arriving)).toBe('test|alice GET /c/abc/of/x?page=2&q=a%20b');
  });

  test('is there with a body, too', async () => {
    const form = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nDATA\r\n--x--\r\n';
    const headers = ['Content-Type', 'multipart/form-data; boundary=x'];
    expect(await proofOf({ method: 'POST', target: '/form', headers, body: form })).toBe('test|alice POST /form');
  });

  test('is not about an answer that everybody shares, of which no request leaves', async () => {
    expect(await proofOf({ method: 'GET', target: '/cached' })).toBeUndefined();
  });

  test('is no word about nobody', async () => {
    const { request, match } = await arrive(policy, { method: 'GET', target: '/' });
    const grant = { request, resources: [], claims: [], releases: [] } as unknown as Grant;
    expect((await signing(grant, match, undefined)).headers).not.toContain('x-proof');
  });
});
