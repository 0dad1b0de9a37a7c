import { expect, test } from 'vitest';
import { SESSION_COOKIE } from '../../src/model/cookie.ts';
import { eventually } from '../support/eventually.ts';
import { principalOf } from '../support/stages.ts';
import { people } from '../support/web-socket-door.ts';
import { webSocketScene } from '../support/web-socket-scene.ts';

const scene = webSocketScene();

test('the upstream is told who is calling, and nothing else of the client', async () => {
  await scene.set();
  const { peer } = await scene.pair('ann', '/ws/agent?token=ann-token&room=7', {
    headers: {
      cookie: 'a=b',
      'x-user-id': 'root',
      'x-forwarded-for': '1.2.3.4',
      'user-agent': 'me',
      origin: 'https://app.example',
    },
  });
  const { url, headers } = peer.request;
  expect(url).toBe('/ws/agent');
  expect(Object.keys(headers).sort()).toEqual([
    ...['connection', 'host', 'sec-websocket-key', 'sec-websocket-version', 'upgrade', 'x-request-id', 'x-user-id'],
  ]);
  expect(headers).toMatchObject({ host: `127.0.0.1:${scene.upstream.port}`, 'x-user-id': 'test|ann' });
  expect(headers['x-request-id']).toBe(scene.gate.records[0]?.requestId);
});

test('the token may stand in the query where the policy says so', async () => {
  await scene.set();
  await scene.gate.client('/ws/agent?token=bob-token').opened;
  await eventually(() => scene.gate.records.length === 1);
  expect(scene.gate.records[0]).toMatchObject({ owner: 'test|bob', path: '/ws/agent' });
});

test('a cookie may stand for its user, beside a token of the same user too', async () => {
  const sessions = new Map([['bob-session', principalOf('bob')]]);
  await scene.set({ gate: { sessions } });
  const headers = { cookie: `${SESSION_COOKIE}=bob-session` };
  await scene.gate.client('/ws/agent', undefined, { headers }).opened;
  await scene.gate.client('/ws/agent', 'bob', { headers }).opened;
  await eventually(() => scene.gate.records.length === 2);
  expect(scene.gate.records).toMatchObject([{ owner: 'test|bob' }, { owner: 'test|bob' }]);
  expect(scene.upstream.asked.map((asked) => asked.headers.cookie)).toEqual([undefined, undefined]);
  const answer = await scene.gate.client('/ws/agent', 'ann', { headers }).refused();
  expect([answer.status, answer.code]).toEqual([400, 'credentials-differ']);
});

test('the upstream is asked for another path where the policy says so', async () => {
  await scene.set();
  const { peer } = await scene.pair('ann', '/ws/canvas/canvas-ann');
  expect(peer.request.url).toBe('/live');
  expect(scene.gate.records[0]).toMatchObject({ route: 'canvas', resources: [{ kind: 'canvas', id: 'canvas-ann' }] });
});

const none = {};
const ENDED = `${SESSION_COOKIE}=ended`;

test.each([
  ['without a token', '/ws/agent', undefined, none, 401, 'token-missing'],
  ['with a cookie that opens nothing', '/ws/agent', undefined, { cookie: ENDED }, 401, 'session-ended'],
  ['with a forged token beside a cookie', '/ws/agent', 'mallory', { cookie: ENDED }, 401, 'token-signature'],
  ['with a forged one', '/ws/agent', 'mallory', none, 401, 'token-signature'],
  ['with one in the query where it may not stand', '/ws/staff?token=eve-token', undefined, none, 400, 'query-invalid'],
  ['with two that differ', '/ws/agent?token=bob-token', 'ann', none, 401, 'token-malformed'],
  ['of a page of another site', '/ws/agent', 'ann', { origin: 'https://evil.example' }, 403, 'origin-refused'],
  ['without the role', '/ws/staff', 'ann', none, 403, 'role-missing'],
  ['for what is another’s', '/ws/canvas/canvas-bob', 'ann', none, 404, 'resource-hidden'],
  ['for what is nobody’s', '/ws/canvas/canvas-xyz', 'ann', none, 404, 'resource-hidden'],
  ['for what can be no id', '/ws/canvas/list', 'ann', none, 404, 'route-unknown'],
  ['for a path of nothing', '/ws/other', 'ann', none, 404, 'route-unknown'],
  ['for an escaped path', '/ws/%61gent', 'ann', none, 400, 'target-invalid'],
  ['with sub-protocols that are none', '/ws/agent', 'ann', { 'sec-websocket-protocol': 'a,,b' }, 400, 'header-invalid'],
  ['with a sub-protocol twice', '/ws/agent', 'ann', { 'sec-websocket-protocol': 'a, a' }, 400, 'header-invalid'],
  ['with a body', '/ws/agent', 'ann', { 'content-length': '5' }, 400, 'request-malformed'],
])('a handshake %s is refused before the upstream hears of it', async (_, path, user, headers, status, code) => {
  await scene.set();
  const answer = await scene.gate.client(path, user, { headers }).refused();
  expect([answer.status, answer.code]).toEqual([status, code]);
  expect(scene.upstream.asked).toEqual([]);
  expect(scene.gate.records).toMatchObject([{ kind: 'socket', outcome: 'refused', reason: code, status }]);
  await scene.nothingIsLeft();
});

test('a handshake of another version is told which one is spoken', async () => {
  await scene.set();
  const answer = await scene.gate.client('/ws/agent', 'ann', { protocolVersion: 8 }).refused();
  expect([answer.status, answer.headers['sec-websocket-version']]).toEqual([400, '13']);
  expect(scene.upstream.asked).toEqual([]);
});

test('a token that is revoked while ownership is looked up lets nobody in', async () => {
  const tokens = people();
  await scene.set({
    gate: {
      tokens,
      async ownersOf(refs) {
        tokens.delete('ann-token');
        return refs.map(() => 'test|ann');
      },
    },
  });
  expect(await scene.gate.client('/ws/canvas/canvas-ann', 'ann').refused()).toMatchObject({ status: 401 });
  expect(scene.upstream.asked).toEqual([]);
  await scene.nothingIsLeft();
});

test('a ledger that cannot be asked lets nobody in', async () => {
  await scene.set({ gate: { ownersOf: () => Promise.reject(new Error('down')) } });
  expect(await scene.gate.client('/ws/canvas/canvas-ann', 'ann').refused()).toMatchObject({ status: 500 });
  expect(scene.upstream.asked).toEqual([]);
});
