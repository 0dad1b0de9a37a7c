/** Opaque tokens through a whole gateway: whoever shows one is asked about, and what lives by one ends with it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { type IntrospectionServer, introspectionServer } from '../support/introspection-server.ts';
import { type SilentUpstream, startSilentUpstream } from '../support/silent-upstream.ts';
import { portOf } from '../support/wire.ts';

let upstream: SilentUpstream;
let endpoint: IntrospectionServer;
let gateway: GatewayProcess;
beforeAll(async () => {
  upstream = await startSilentUpstream();
  endpoint = await introspectionServer();
  const introspection = {
    ...{ url: endpoint.url, 'client-id': 'gateway' },
    ...{ 'client-secret': 'a secret of the tests', 'max-age': '1s' },
  };
  const issuers = [{ name: 'opaque', issuer: 'https://opaque.test/', audience: 'jaaz', introspection }];
  gateway = await startGatewayProcess(upstream.url, undefined, { issuers });
});
afterAll(async () => {
  await gateway.stop();
  await endpoint.close();
  await upstream.close();
});

const asked = async (token: string): Promise<string> => {
  const answer = await fetch(`${gateway.url()}/api/list_models`, { headers: { authorization: `Bearer ${token}` } });
  const body = (await answer.json()) as { code?: string };
  return answer.status < 300 ? 'served' : `${answer.status} ${body.code}`;
};

const openSocket = async (token: string) => {
  const url = `ws://127.0.0.1:${portOf(gateway.url())}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const state = { isOpen: false, isClosed: false };
  socket.on('message', (data) => {
    if (String(data).startsWith('40{')) state.isOpen = true;
    if (String(data) === '2') socket.send('3');
  });
  socket.on('error', () => undefined);
  socket.on('open', () => socket.send(`40${JSON.stringify({ token })}`));
  socket.on('close', () => {
    state.isClosed = true;
  });
  await eventually(() => state.isOpen);
  return { socket, state };
};

const active = (sub: string) => ({ active: true, aud: 'jaaz', sub });

test('a token is good as long as its issuer says so, and a socket lives on by it', async () => {
  endpoint.tokens.set('token-of-ann', active('ann'));
  expect(await asked('token-of-ann')).toBe('served');
  const { socket, state } = await openSocket('token-of-ann');
  const questions = () => endpoint.asked.filter(({ form }) => form.get('token') === 'token-of-ann').length;
  const before = questions();
  await eventually(() => questions() >= before + 3);
  expect(state).toEqual({ isOpen: true, isClosed: false });
  endpoint.tokens.delete('token-of-ann');
  await eventually(() => state.isClosed, 3000);
  await eventually(async () => (await asked('token-of-ann')) === '401 token-inactive', 3000);
  socket.terminate();
});

test('a token that nobody gave is refused, and while the issuer cannot be asked every token is, with 503', async () => {
  endpoint.tokens.set('token-of-bob', active('bob'));
  expect(await asked('invented')).toBe('401 token-inactive');
  endpoint.answer((response) => void response.writeHead(500).end());
  expect(await asked('token-of-bob')).toBe('503 introspection-unavailable');
  endpoint.answer(undefined);
  expect(await asked('token-of-bob')).toBe('served');
});

test('the log says when the issuer could not be asked, and holds no token', async () => {
  const said = () => gateway.log().map(({ message }) => message);
  await eventually(() => said().includes('introspection-failed') && said().includes('introspection-works'));
  expect(JSON.stringify(gateway.log())).not.toContain('token-of-');
});
