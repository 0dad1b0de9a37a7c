import { afterEach, describe, expect, test } from 'vitest';
import type { OwnAsked, OwnEndpoint } from '../../src/model/own.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { ask, FORM, type OwnDoorOptions, ownDoor } from '../support/own-door.ts';

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const asked: OwnAsked[] = [];
const answering = (path: string, more: Partial<OwnEndpoint> = {}): OwnEndpoint => ({
  id: `own.${path}`,
  method: 'GET',
  path,
  form: false,
  answer(one) {
    asked.push(one);
    return { status: 200, headers: ['content-type', 'text/plain'], body: Buffer.from(path), owner: 'test|alice' };
  },
  ...more,
});
const refusing = (reason: 'token-signature' | 'login-failed' | 'token-missing') => () => {
  throw new Rejection(reason, 'the secret detail');
};

const open = async (endpoints: readonly OwnEndpoint[], options: Partial<OwnDoorOptions> = {}) => {
  const door = await ownDoor({ endpoints, ...options });
  closing.push(door.close);
  return door;
};

describe('a request for an endpoint', () => {
  test('is answered with a length, and never sniffed', async () => {
    const { url } = await open([answering('/own')]);
    const { status, text, headers } = await ask(`${url}/own?a=b`);
    expect([status, text]).toEqual([200, '/own']);
    expect(headers).toMatchObject({ 'content-length': '4', 'x-content-type-options': 'nosniff' });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(asked.at(-1)?.request.query.get('a')).toBe('b');
  });

  test('is recorded once, under the name of the endpoint, with whom it is about and the stages it went through', async () => {
    const { url, records } = await open([answering('/own')]);
    const { headers } = await ask(`${url}/own?secret=1`);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      outcome: 'allowed',
      route: 'own./own',
      path: '/own',
      owner: 'test|alice',
      status: 200,
      requestId: headers['x-request-id'],
      upstreamStatus: undefined,
    });
    expect(Object.keys(records[0]?.stages ?? {})).toEqual([
      ...['canonical', 'match', 'limit', 'read', 'authenticate', 'respond'],
    ]);
    expect(JSON.stringify(records)).not.toContain('secret');
  });

  test('by HEAD is told the head alone', async () => {
    const { url } = await open([answering('/own')]);
    const { status, text, headers } = await ask(`${url}/own`, { method: 'HEAD' });
    expect([status, text, headers['content-length']]).toEqual([200, '', '4']);
  });

  test('below a folder is given the last segment, and one segment only', async () => {
    const { url } = await open([answering('/own/folder/')]);
    expect((await ask(`${url}/own/folder/it`)).status).toBe(200);
    expect(asked.at(-1)?.parameter).toBe('it');
    for (const path of ['/own/folder/', '/own/folder', '/own/folder/it/', '/own/folder/it/there']) {
      expect((await ask(url + path)).status, path).toBe(404);
    }
  });

  test('an answer without a body has no length but 0, and 304 has none at all', async () => {
    const empty = answering('/empty', { answer: () => ({ status: 200, headers: [], body: undefined }) });
    const same = answering('/same', { answer: () => ({ status: 304, headers: ['etag', '"e"'], body: undefined }) });
    const { url } = await open([empty, same]);
    expect((await ask(`${url}/empty`)).headers['content-length']).toBe('0');
    const { status, headers } = await ask(`${url}/same`);
    expect([status, headers['content-length'], headers.etag]).toEqual([304, undefined, '"e"']);
  });

  test('leaves the endpoint’s own headers as they are for the next one', async () => {
    const headers = ['a', 'b'];
    const { url } = await open([answering('/own', { answer: () => ({ status: 200, headers, body: undefined }) })]);
    await ask(`${url}/own`);
    await ask(`${url}/own`);
    expect(headers).toEqual(['a', 'b']);
  });
});

describe('what is no endpoint', () => {
  test.each([
    ['another method', 'DELETE', '/own'],
    ['a method of another case of the endpoint', 'POST', '/own'],
    ['a path that is spelt otherwise', 'GET', '/OWN'],
    ['a slash more', 'GET', '/own/'],
    ['something unknown below /auth/', 'GET', '/auth/nothing'],
  ])('%s is refused as everything unknown is', async (_what, method, path) => {
    const { url } = await open([answering('/own'), answering('/auth/login')]);
    const { status, text } = await ask(url + path, { method });
    expect([status, JSON.parse(text).code]).toEqual([404, 'route-unknown']);
  });

  test('below /auth/ never becomes a request of the policy’s', async () => {
    const { url, records } = await open([]);
    await ask(`${url}/auth/nothing`);
    await ask(`${url}/elsewhere`);
    expect(records.map(({ detail }) => detail)).toEqual(['the gateway has nothing of its own there', 'another life']);
  });

  test.each(['/auth/%6cogin', '/auth//login', '/auth/./login', '/auth/x/../login', '/auth/login%0a', '/auth\\login'])(
    '%s is not read as /auth/login',
    async (path) => {
      const before = asked.length;
      const { url } = await open([answering('/auth/login')]);
      const { hostname, port } = new URL(url);
      const { exchange, requestText } = await import('../support/wire.ts');
      const { answers } = await exchange(Number(port), requestText(`GET ${path} HTTP/1.1`, ['Host: x']), {
        answers: 1,
      });
      expect(hostname).toBe('127.0.0.1');
      expect([400, 404]).toContain(answers[0]?.status);
      expect(asked).toHaveLength(before);
    },
  );

  test('two endpoints at one place are a fault at the start', () => {
    const both = [answering('/own'), answering('/own')];
    return expect(ownDoor({ endpoints: both })).rejects.toThrow(TypeError);
  });
});

describe('a body', () => {
  const form = answering('/form', { method: 'POST', form: true });

  test('is read where the endpoint takes a form', async () => {
    const { url } = await open([form]);
    await ask(`${url}/form`, { method: 'POST', headers: FORM, body: 'a=1&b=2' });
    expect([...(asked.at(-1)?.form ?? [])]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
  });

  test.each([
    ['twice the same field', FORM, 'a=1&a=2', 'body-duplicate-key'],
    ['JSON', { 'content-type': 'application/json' }, '{}', 'body-type'],
  ])('%s is refused, and the endpoint hears nothing of it', async (_what, headers, body, code) => {
    const { url, records } = await open([form]);
    const before = asked.length;
    const { text } = await ask(`${url}/form`, { method: 'POST', headers, body });
    expect(JSON.parse(text).code).toBe(code);
    expect(asked).toHaveLength(before);
    expect(records[0]).toMatchObject({ outcome: 'refused', reason: code, route: 'own./form' });
  });

  test('is refused where the endpoint takes none', async () => {
    const { url } = await open([answering('/own'), answering('/post', { method: 'POST' })]);
    for (const [method, path] of [
      ['GET', '/own'],
      ['POST', '/post'],
    ] as const) {
      const { text } = await ask(url + path, { method, headers: FORM, body: 'a=1' });
      expect(JSON.parse(text).code, method).toBe('body-unexpected');
    }
  });
});

describe('a refusal', () => {
  test('is the problem document, and tells no detail', async () => {
    const { url, records } = await open([answering('/own', { answer: refusing('login-failed') })]);
    const { status, text, headers } = await ask(`${url}/own`);
    expect([status, headers['content-type']]).toEqual([400, 'application/problem+json']);
    expect(text).not.toContain('secret');
    expect(records[0]).toMatchObject({ outcome: 'refused', reason: 'login-failed', detail: 'the secret detail' });
  });

  test('is a page for somebody who opened the address, with the request’s id', async () => {
    const { url } = await open([answering('/own', { answer: refusing('login-failed') })]);
    const { status, text, headers } = await ask(`${url}/own`, { headers: { accept: 'text/html' } });
    expect([status, headers['content-type']]).toEqual([400, 'text/html; charset=utf-8']);
    expect(text).toContain('The login could not be completed. Start again.');
    expect(text).toContain(String(headers['x-request-id']));
    expect(text).not.toContain('secret');
  });

  test('a bug is a 500 and is reported', async () => {
    const bug = () => {
      throw new Error('the secret bug');
    };
    const { url, reports, records } = await open([answering('/own', { answer: bug })]);
    const { status, text } = await ask(`${url}/own`);
    expect(status).toBe(500);
    expect(text).not.toContain('secret');
    expect(reports).toHaveLength(1);
    expect(records[0]).toMatchObject({ outcome: 'failed', reason: 'internal-error' });
  });
});

describe('limits', () => {
  test('count each request of an address, before anything is read or answered', async () => {
    const { url } = await open([answering('/own', { method: 'POST', form: true })], { visitors: 2 });
    const before = asked.length;
    const statuses: number[] = [];
    for (let n = 0; n < 3; n += 1) statuses.push((await ask(`${url}/own`, { method: 'POST' })).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(asked).toHaveLength(before + 2);
    const { headers } = await ask(`${url}/own`, { method: 'POST' });
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(headers.ratelimit).toContain('"visitors";r=0');
  });

  test('count what is unknown too', async () => {
    const { url } = await open([], { visitors: 1 });
    expect((await ask(`${url}/auth/nothing`)).status).toBe(404);
    expect((await ask(`${url}/auth/nothing`)).status).toBe(429);
  });

  test('count credentials that do not count as failures, and a missing one as none', async () => {
    const failing = answering('/failing', { answer: refusing('token-signature') });
    const missing = answering('/missing', { answer: refusing('token-missing') });
    const { url } = await open([failing, missing], { failures: 1 });
    expect((await ask(`${url}/missing`)).status).toBe(401);
    expect((await ask(`${url}/missing`)).status).toBe(401);
    expect((await ask(`${url}/failing`)).status).toBe(401);
    expect((await ask(`${url}/failing`)).status).toBe(429);
  });
});
