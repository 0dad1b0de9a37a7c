/** `fetch` of the kit, against a real gateway where the gateway says it, and against plain servers where it never would. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatewayClient } from '../../client/index.ts';
import { kit as client, errorOf, FINE, problem, serve } from '../support/kit-answers.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ stepMillis: 0 });
});
afterAll(() => world.close());

const expired = () => world.issuer.token('alice', { expiresInSeconds: -60 });
const good = (seconds = 3600) => world.issuer.token('alice', { expiresInSeconds: seconds });

const canvas = (id: string): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ name: 'a cat', canvas_id: id, messages: [], session_id: `s-${id}` }),
});

/** A client whose first token the gateway refuses, but which a program cannot know to be bad. */
const forgetful = async (refresh: () => string | Promise<string> = () => good()) => {
  let sent = 0;
  const stale = `${await good()}x`;
  const asked: string[] = [];
  const kit = gatewayClient({
    url: world.gateway.url,
    token: () => stale,
    fetch(input, init) {
      sent += 1;
      return fetch(input, init);
    },
    refresh(old) {
      asked.push(old === stale ? 'stale' : 'another');
      return refresh();
    },
  });
  return { ...kit, asked, sent: () => sent };
};

describe('a token', () => {
  test('is attached, for a path, an URL and a Request, and the answer is as it came', async () => {
    const { url } = world.gateway;
    const { fetch } = gatewayClient({ url, token: () => good() });
    const targets = ['/api/canvas/list', new URL('/api/canvas/list', url), new Request(`${url}/api/canvas/list`)];
    for (const target of targets) {
      const answer = await fetch(target, { headers: { accept: 'application/json' } });
      expect([answer.status, await answer.json()]).toEqual([200, []]);
    }
  });

  test.each(['http://127.0.0.1:9/x', '//other.example/x', 'https://u:p@other.example', 'data:text/plain,x'])(
    'is neither sent to nor asked for %s',
    async (target) => {
      let asked = 0;
      const send = () => {
        asked += 1;
        return Promise.resolve(new Response());
      };
      const { fetch } = client('https://gateway.example', { token: () => `${asked++}`, fetch: send });
      await expect(fetch(target)).rejects.toThrow(TypeError);
      await expect(fetch('blob:https://gateway.example/1')).rejects.toThrow(TypeError);
      await expect(fetch('http://gateway.example/')).rejects.toThrow(TypeError);
      expect(asked).toBe(0);
    },
  );

  test('does not follow a redirect to another origin', async () => {
    const other = await serve(FINE);
    const server = await serve({ status: 302, headers: { location: `${other.url}/there` } });
    expect((await client(server.url).fetch('/here')).status).toBe(200);
    expect([server.came[0]?.authorization, other.came[0]?.path, other.came[0]?.authorization]).toEqual([
      'Bearer a-token',
      '/there',
      undefined,
    ]);
  });

  test('is renewed before a request where it is over already: nothing is refused', async () => {
    const token = await expired();
    let sent = 0;
    const { fetch: send } = gatewayClient({
      url: world.gateway.url,
      token: () => token,
      refresh: () => good(),
      fetch(input, init) {
        sent += 1;
        return fetch(input, init);
      },
    });
    expect([(await send('/api/canvas/list')).status, sent]).toEqual([200, 1]);
  });
});

describe('after 401', () => {
  test('a request is repeated once with a fresh token, its body too', async () => {
    const { fetch, asked } = await forgetful();
    const answer = await fetch('/api/canvas/create', canvas('kit-1'));
    expect([answer.status, await answer.json(), asked]).toEqual([200, { id: 'kit-1' }, ['stale']]);
  });

  test('ten at once share one renewal', async () => {
    const { fetch, asked } = await forgetful();
    const answers = await Promise.all(Array.from({ length: 10 }, () => fetch('/api/canvas/list')));
    expect([answers.map(({ status }) => status), asked]).toEqual([Array(10).fill(200), ['stale']]);
  });

  test('a second 401 is an error that says which, and whose record', async () => {
    const bad = await good();
    const { fetch, sent, asked } = await forgetful(() => `${bad}${'y'.repeat(asked.length)}`);
    const error = await errorOf(fetch('/api/canvas/list'));
    expect(error).toMatchObject({ name: 'GatewayError', status: 401, code: 'token-malformed' });
    expect(error.message).toBe('The access token is not valid.');
    expect(sent()).toBe(2);
    await expect.poll(() => world.audit().some(({ requestId }) => requestId === error.requestId)).toBe(true);
    expect(world.audit().findLast(({ requestId }) => requestId === error.requestId)).toMatchObject({
      reason: 'token-malformed',
    });
  });

  test('the same token once more is not shown again', async () => {
    const stale = `${await good()}x`;
    const { fetch, sent } = await forgetful(() => stale);
    expect((await errorOf(fetch('/api/canvas/list'))).code).toBe('token-malformed');
    expect(sent()).toBe(1);
  });

  test('a renewal that fails is the cause of the error', async () => {
    const cause = new Error('log in again');
    const { fetch } = await forgetful(() => Promise.reject(cause));
    const error = await errorOf(fetch('/api/canvas/list'));
    expect([error.status, error.cause]).toEqual([401, cause]);
  });

  test.each([
    ['a stream', () => ({ body: new Blob(['text']).stream(), duplex: 'half' })],
    ['an iterator', () => ({ body: (async function* () {})(), duplex: 'half' })],
  ])('%s is not sent again', async (_, init) => {
    const server = await serve(problem(401, 'token-expired'), FINE);
    const call = client(server.url, { refresh: () => 'b' }).fetch('/x', { method: 'POST', ...init() } as RequestInit);
    expect((await errorOf(call)).code).toBe('token-expired');
    expect(server.came.length).toBe(1);
  });

  test('a Request with a body is not sent again, one without is', async () => {
    const server = await serve(problem(401, 'token-expired'), FINE);
    const { fetch } = client(server.url, { refresh: () => 'b' });
    await errorOf(fetch(new Request(`${server.url}/x`, { method: 'POST', body: 'text' })));
    expect(server.came.length).toBe(1);
    const other = await serve(problem(401, 'token-expired'), FINE);
    const answer = await client(other.url, { refresh: () => 'b' }).fetch(new Request(`${other.url}/x`));
    expect([answer.status, other.came.map(({ authorization }) => authorization)]).toEqual([
      200,
      ['Bearer a-token', 'Bearer b'],
    ]);
  });

  test('of a server behind, the answer passes: it may have done something', async () => {
    const server = await serve({ status: 401, body: 'no' });
    const answer = await client(server.url, { refresh: () => 'b' }).fetch('/x', { method: 'POST', body: '1' });
    expect([answer.status, await answer.text(), server.came.length]).toEqual([401, 'no', 1]);
  });
});

test('a problem without words of its own is an error all the same', async () => {
  const headers = { 'content-type': 'application/problem+json', 'x-request-id': 'r-2' };
  const server = await serve({ status: 400, headers, body: '{' });
  const error = await errorOf(client(server.url).fetch('/x', { method: 'HEAD' }));
  expect(error).toMatchObject({ status: 400, code: 'unknown', requestId: 'r-2', message: 'status 400' });
});

test('without an address there is no client', () => {
  expect(() => gatewayClient({ token: () => 'a' })).toThrow(TypeError);
  expect(() => gatewayClient({ url: 'file:///x', token: () => 'a' })).toThrow(TypeError);
});
