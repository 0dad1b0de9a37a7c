/** Server-sent events and answers that take long: what the server has said reaches the client before it says more. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { parsePolicy } from '../../src/policy/load.ts';
import { type BareUpstream, bareUpstream } from '../support/bare-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { startWorld, type World } from '../support/world.ts';

const text = `
version: 1
name: streams
routes:
  - { id: stream, match: GET /api/stream, timeout: 10m }
  - { id: words, match: POST /api/words, timeout: 10m, body: { json: 64KiB } }
`;

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

interface Stage {
  readonly world: World;
  readonly upstream: BareUpstream;
  /** The connections on which the server has a request and has said nothing yet. */
  readonly asked: Socket[];
}

const stage = async (): Promise<Stage> => {
  const asked: Socket[] = [];
  const upstream = await bareUpstream(({ socket }) => void asked.push(socket));
  const loaded = parsePolicy({ file: 'streams.yaml', text });
  if ('faults' in loaded) throw new Error(JSON.stringify(loaded.faults));
  const world = await startWorld({ policy: loaded.policy, upstreamUrl: upstream.url });
  opened.push(upstream, { [Symbol.asyncDispose]: () => world.close() });
  return { world, upstream, asked };
};

interface Asked {
  readonly sent: ClientRequest;
  readonly answer: Promise<IncomingMessage>;
}

const ask = ({ world }: Stage, token: string, { method = 'GET', path = '/api/stream', body = '' } = {}): Asked => {
  const headers: Record<string, string> = { authorization: `Bearer ${token}` };
  if (body !== '') headers['content-type'] = 'application/json';
  const sent = request(`${world.gateway.url}${path}`, { method, headers, agent: false });
  sent.on('error', () => undefined);
  const answer = new Promise<IncomingMessage>((resolve) => sent.on('response', resolve));
  sent.end(body);
  return { sent, answer };
};

const listen = (answer: IncomingMessage) => {
  const heard = { text: '', ended: false, cut: false };
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    heard.text += chunk;
  });
  answer.on('end', () => {
    heard.ended = true;
  });
  answer.on('error', () => {
    heard.cut = true;
  });
  return heard;
};

const chunk = (data: string): string => `${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`;

const EVENT_STREAM = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

const firstOf = async ({ asked }: Stage): Promise<Socket> => {
  await eventually(() => asked.length > 0);
  return asked.shift() as Socket;
};

describe('server-sent events', () => {
  test('pass one by one: the head before the first, and each before the next is sent', async () => {
    const on = await stage();
    const { answer } = ask(on, await on.world.issuer.token('alice'));
    const server = await firstOf(on);
    server.write(EVENT_STREAM);
    const response = await answer;
    expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'text/event-stream']);
    const heard = listen(response);
    let said = '';
    for (let n = 0; n < 5; n += 1) {
      const event = `id: ${n}\ndata: {"n":${n}}\n\n`;
      server.write(chunk(event));
      said += event;
      await eventually(() => heard.text === said);
    }
    server.write('0\r\n\r\n');
    await eventually(() => heard.ended);
  });

  test('end upstream when the client leaves', async () => {
    const on = await stage();
    const { sent, answer } = ask(on, await on.world.issuer.token('alice'));
    const server = await firstOf(on);
    server.write(EVENT_STREAM + chunk('data: 1\n\n'));
    const heard = listen(await answer);
    await eventually(() => heard.text !== '');
    const closed = new Promise((resolve) => server.once('close', resolve));
    sent.destroy();
    await closed;
    await eventually(() => on.world.audit().some(({ outcome }) => outcome === 'aborted'));
  });

  test('end with the authority of their listener, on both sides', async () => {
    const on = await stage();
    const { answer } = ask(on, await on.world.issuer.token('alice', { expiresInSeconds: 2 }));
    const other = ask(on, await on.world.issuer.token('bob'));
    const server = await firstOf(on);
    const others = await firstOf(on);
    server.write(EVENT_STREAM + chunk('data: 1\n\n'));
    others.write(EVENT_STREAM + chunk('data: 1\n\n'));
    const heard = listen(await answer);
    const bobs = listen(await other.answer);
    await eventually(() => heard.text !== '' && bobs.text !== '');
    await new Promise((resolve) => server.once('close', resolve));
    await eventually(() => heard.cut);
    await eventually(() => on.world.audit().some(({ reason }) => reason === 'authority-expired'));
    const bobsConnection = on.asked.length === 0 && !bobs.cut && !bobs.ended;
    expect(bobsConnection).toBe(true);
  });
});

test('the words of an answer that takes long pass as they come, whatever the method', async () => {
  const on = await stage();
  const { answer } = ask(on, await on.world.issuer.token('alice'), { method: 'POST', path: '/api/words', body: '{}' });
  const server = await firstOf(on);
  server.write('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n');
  const heard = listen(await answer);
  for (const word of ['one ', 'two ', 'three']) {
    const before = heard.text;
    server.write(chunk(word));
    await eventually(() => heard.text === before + word);
  }
  server.write('0\r\n\r\n');
  await eventually(() => heard.ended);
});
