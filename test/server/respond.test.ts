import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type ReasonCode, reasons } from '../../src/model/reason.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { BodySink, FilteredResponse } from '../../src/model/response.ts';
import type { Reply, Sent } from '../../src/pipeline/decide.ts';
import { problem, refusalForm, reply } from '../../src/server/respond.ts';
import { eventually } from '../support/eventually.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Answers one request by `act`, and returns what was said on the wire and what the pipeline was told. */
const answering = async (
  act: (to: Reply) => Sent | Promise<Sent>,
  text = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  stallMillis = 60_000,
) => {
  const state = { text: '', closed: false, sent: undefined as Sent | undefined };
  server = createServer((incoming, outgoing) => {
    outgoing.on('error', () => undefined);
    const sending = act(reply(incoming, outgoing, { stallMillis, form: refusalForm(incoming) }));
    void Promise.resolve(sending).then((sent) => {
      state.sent = sent;
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('data', (chunk: Buffer) => {
    state.text += chunk.toString('latin1');
  });
  socket.on('close', () => {
    state.closed = true;
  });
  socket.on('error', () => undefined);
  socket.write(text);
  return { state, socket };
};
const response = (status: number, headers: string[], body: FilteredResponse['body']): FilteredResponse =>
  ({ status, headers, body }) as unknown as FilteredResponse;

/** A body whose chunks the test sends. */
const flowing = () => {
  const state = { sink: undefined as BodySink | undefined, resumed: 0, aborted: 0 };
  const body = {
    whole: () => undefined,
    pipe: (sink: BodySink) => {
      state.sink = sink;
    },
    resume: () => {
      state.resumed += 1;
    },
    abort: () => {
      state.aborted += 1;
      state.sink?.fail(new Error('given up'));
    },
  };
  return { state, body };
};

describe('a problem', () => {
  test.each(Object.keys(reasons) as ReasonCode[])('%s tells the public sentence, and never the detail', (reason) => {
    const { head, body } = problem(new Rejection(reason, 'the secret detail'), 'the-id');
    const document = JSON.parse(body.toString()) as Record<string, unknown>;
    expect(document).toEqual({
      type: 'about:blank',
      title: expect.any(String),
      status: reasons[reason].status,
      detail: reasons[reason].message,
      code: reasons[reason].shownAs ?? reason,
      requestId: 'the-id',
    });
    expect(document.title === 'Error').toBe(reason === 'client-gone');
    expect(head.join()).toContain('content-type,application/problem+json');
    expect(head.join()).toContain('cache-control,no-store');
    expect(head.join()).toContain('x-request-id,the-id');
    expect(head.join()).not.toContain('secret');
  });

  test('without a request has no id', () => {
    const { head, body } = problem(new Rejection('request-malformed', 'x'), undefined);
    expect(head).not.toContain('x-request-id');
    expect(JSON.parse(body.toString())).not.toHaveProperty('requestId');
  });

  test('carries the refusal’s own headers', () => {
    const rejection = new Rejection('token-missing', 'x', { headers: ['www-authenticate', 'Bearer'] });
    expect(problem(rejection, 'i').head.join()).toContain('www-authenticate,Bearer');
  });
});

describe('a page', () => {
  const asked = (headers: IncomingHttpHeaders) => refusalForm({ headers } as IncomingMessage);
  const page = asked({ 'sec-fetch-mode': 'navigate' });

  test.each(Object.keys(reasons) as ReasonCode[])('of %s tells the public sentence, and never the detail', (reason) => {
    const headers = ['www-authenticate', 'Bearer'];
    const { head, body } = page(new Rejection(reason, 'the secret detail', { headers }), 'the-id');
    expect(body.toString()).toContain(`<p>${reasons[reason].message}</p>`);
    expect(body.toString()).toContain('the-id');
    expect(body.toString() + head.join()).not.toContain('secret');
    expect(head.join()).toContain(`content-length,${body.length},`);
    for (const each of ['text/html', 'no-store', 'nosniff', 'www-authenticate,Bearer', 'x-request-id,the-id']) {
      expect(head.join()).toContain(each);
    }
  });

  test('is for whoever opened the address; everybody else gets the document', () => {
    expect(asked({ accept: 'text/html,*/*' })).toBe(page);
    expect(asked({ accept: 'text/html', 'sec-fetch-mode': 'cors' })).toBe(problem);
    expect(asked({ accept: '*/*' })).toBe(problem);
    expect(asked({})).toBe(problem);
  });

  test('takes the place of the document where it is asked for', async () => {
    const { state } = await answering(
      (to) => to.refuse(new Rejection('login-failed', 'x'), 'i', []),
      'GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n',
    );
    await eventually(() => state.text.includes('</html>'));
    expect(state.text).toContain('HTTP/1.1 400');
    expect(state.sent).toEqual({ status: 400, outcome: 'complete' });
  });
});

describe('a whole body', () => {
  test.each([
    ['small', Buffer.from([0, 0x7f, 0x80, 0xff, 0xc3, 0xa9])],
    ['large', Buffer.alloc(100_000, 0xe9)],
    ['empty', Buffer.alloc(0)],
  ])('%s arrives byte by byte', async (_name, body) => {
    const head = ['content-length', String(body.length)];
    const { state } = await answering((to) => to.send(response(200, head, body), ['x-request-id', 'i']));
    await eventually(() => state.text.length >= state.text.indexOf('\r\n\r\n') + 4 + body.length && state.text !== '');
    expect(state.text.slice(state.text.indexOf('\r\n\r\n') + 4)).toBe(body.toString('latin1'));
    expect(state.text).toContain('x-request-id: i\r\n');
    expect(state.sent).toEqual({ status: 200, outcome: 'complete' });
  });

  test('that was there before it was asked for is sent at once', async () => {
    const { body } = flowing();
    const ready = { ...body, whole: () => Buffer.from('ready') };
    const { state } = await answering((to) => to.send(response(200, ['content-length', '5'], ready), []));
    await eventually(() => state.text.endsWith('ready'));
    expect(state.sent?.outcome).toBe('complete');
  });

  test('is left out for HEAD', async () => {
    const { state } = await answering(
      (to) => to.send(response(200, ['content-length', '4'], Buffer.from('body')), []),
      'HEAD / HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    await eventually(() => state.text.includes('\r\n\r\n'));
    expect(state.text).toContain('content-length: 4');
    expect(state.text.endsWith('\r\n\r\n')).toBe(true);
  });
});

describe('a refusal', () => {
  test('says what is left of a limit, but not twice', async () => {
    const extra = ['ratelimit', '"a";r=1;t=1'];
    const plain = await answering((to) => to.refuse(new Rejection('id-invalid', 'x'), 'i', extra));
    await eventually(() => plain.state.text.endsWith('}'));
    expect(plain.state.text.match(/ratelimit: /g)).toHaveLength(1);
    const headers = ['ratelimit', '"b";r=0;t=9'];
    const limited = await answering((to) => to.refuse(new Rejection('rate-limited', 'x', { headers }), 'i', extra));
    await eventually(() => limited.state.text.endsWith('}'));
    expect(limited.state.text.match(/ratelimit: .*/g)).toEqual(['ratelimit: "b";r=0;t=9']);
  });

  test('of a body that is still on its way closes the connection a moment later', async () => {
    const { state } = await answering(
      (to) => to.refuse(new Rejection('body-too-large', 'x'), 'i', []),
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\npart',
    );
    await eventually(() => state.closed);
    expect(state.text).toMatch(/^HTTP\/1\.1 413 .*\r\nconnection: close\r\n/is);
    expect(state.text.endsWith('}')).toBe(true);
  });
});

describe('a stream', () => {
  const begun = async () => {
    const { state: source, body } = flowing();
    const wire = await answering((to) => to.send(response(200, [], body), []));
    await eventually(() => source.sink !== undefined);
    return { source, sink: source.sink as BodySink, ...wire };
  };

  test('passes each chunk on as it comes', async () => {
    const { sink, state } = await begun();
    sink.write(Buffer.from('first'));
    await eventually(() => state.text.includes('first'));
    expect(state.sent).toBeUndefined();
    sink.write(Buffer.from('last'));
    sink.end();
    await eventually(() => state.text.endsWith('0\r\n\r\n'));
    expect(state.sent).toEqual({ status: 200, outcome: 'complete' });
  });

  test('that breaks off cuts the connection', async () => {
    const { sink, state } = await begun();
    sink.write(Buffer.from('half'));
    await eventually(() => state.text.includes('half'));
    sink.fail(new Error('cut'));
    await eventually(() => state.closed);
    expect(state.text).not.toContain('0\r\n\r\n');
    expect(state.sent).toEqual({ status: 200, outcome: 'upstream-broken' });
  });

  test('that the client leaves is given up', async () => {
    const { source, socket, state } = await begun();
    socket.destroy();
    await eventually(() => state.sent !== undefined);
    expect(state.sent).toEqual({ status: 200, outcome: 'client-gone' });
    expect(source.aborted).toBe(1);
  });

  test('waits for a client that does not read, and goes on with it', async () => {
    const { source, sink, socket } = await begun();
    socket.pause();
    const chunk = Buffer.alloc(1_000_000, 'x');
    let writes = 1;
    while (sink.write(chunk) && writes < 100) writes += 1;
    expect(writes).toBeLessThan(100);
    expect(source.resumed).toBe(0);
    while (writes < 30) {
      sink.write(chunk);
      writes += 1;
    }
    socket.resume();
    await eventually(() => source.resumed > 0);
  });

  test('whose client takes nothing for too long is given up, and its upstream connection with it', async () => {
    const { state: source, body } = flowing();
    const { socket, state } = await answering((to) => to.send(response(200, [], body), []), undefined, 200);
    await eventually(() => source.sink !== undefined);
    socket.pause();
    const chunk = Buffer.alloc(1_000_000, 'x');
    for (let i = 0; i < 30; i += 1) source.sink?.write(chunk);
    await eventually(() => state.sent !== undefined);
    expect(state.sent?.outcome).toBe('client-gone');
    expect(source.aborted).toBe(1);
  });

  test('for a client that is gone already is given up unread', async () => {
    const { state: source, body } = flowing();
    let go = (): void => undefined;
    const waited = new Promise<void>((resolve) => {
      go = resolve;
    });
    let asked = false;
    const { socket, state } = await answering(async (to) => {
      asked = true;
      await waited;
      return to.send(response(200, [], body), []);
    });
    await eventually(() => asked);
    socket.destroy();
    await eventually(
      async () => new Promise((resolve) => server?.getConnections((_error, open) => resolve(open === 0))),
    );
    go();
    await eventually(() => state.sent !== undefined);
    expect(state.sent).toEqual({ status: 200, outcome: 'client-gone' });
    expect(source.aborted).toBe(1);
  });
});
