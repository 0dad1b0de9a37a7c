/** The one place where an answer is written to a client, and where an error gets its form (RFC 9457). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { reasons } from '../model/reason.ts';
import type { Rejection } from '../model/rejection.ts';
import type { BodySource, FilteredResponse } from '../model/response.ts';
import type { Reply, Sent } from '../pipeline/decide.ts';
import { pageHeaders, refusalPage } from './login-pages.ts';
import { isNavigation } from './login-request.ts';

const TITLES: Readonly<Record<number, string>> = {
  303: 'See Other',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** A refusal in the form in which it is told. */
interface Rendered {
  readonly head: string[];
  readonly body: Buffer;
}

type RefusalForm = (rejection: Rejection, requestId: string | undefined) => Rendered;

/** Returns the problem document of a refusal: the public sentence, the stable code, and the request's id. */
export const problem: RefusalForm = (rejection, requestId) => {
  const { status, reason } = rejection;
  const title = TITLES[status] ?? 'Error';
  const { message: detail, shownAs: code = reason } = reasons[reason];
  const document = { type: 'about:blank', title, status, detail, code, requestId };
  const body = Buffer.from(JSON.stringify(document));
  const head = ['content-type', 'application/problem+json', 'content-length', String(body.length)];
  head.push('cache-control', 'no-store', 'x-content-type-options', 'nosniff', ...rejection.headers);
  if (requestId !== undefined) head.push('x-request-id', requestId);
  return { head, body };
};

/** Returns the page of a refusal, for people who opened an address themselves: the public sentence, and the request's id. */
const page: RefusalForm = (rejection, requestId) => {
  const { status, reason } = rejection;
  const body = refusalPage({ title: TITLES[status] ?? 'Error', sentence: reasons[reason].message, requestId });
  const head = [...pageHeaders(), 'content-length', String(body.length), 'x-content-type-options', 'nosniff'];
  head.push(...rejection.headers);
  if (requestId !== undefined) head.push('x-request-id', requestId);
  return { head, body };
};

/** Returns the form for whoever sent a request: a page where a browser is to show it as one, else the document. */
export const refusalForm = ({ headers }: IncomingMessage): RefusalForm =>
  isNavigation({ mode: headers['sec-fetch-mode'], accept: headers.accept }) ? page : problem;

/** An unread body may go on arriving after the refusal; the connection ends a moment later. */
const LINGER_MILLIS = 500;

/** Above this a copy costs more than a second write. */
const ONE_WRITE_BYTES = 8_192;

/** A client that takes nothing for so long is cut: it holds an upstream connection, of which all have a bounded number. */
const STALL_MILLIS = 60_000;

const announcesBody = ({ headers }: IncomingMessage): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;

/** Completes the head of an answer; of one that passes as it came only by what the gateway itself is asked for. */
export type Dress = (head: string[], incoming: IncomingMessage, asItCame?: boolean) => void;

interface ReplyOptions {
  readonly stallMillis?: number;
  readonly form?: RefusalForm;
  /** Completes the head of every answer. */
  readonly dress?: Dress | undefined;
}

/** Returns the transport's side of one request. */
export const reply = (incoming: IncomingMessage, outgoing: ServerResponse, options: ReplyOptions = {}): Reply =>
  new HttpReply(incoming, outgoing, options);

/** A class, because a function for each of its methods would be made for each request. */
class HttpReply implements Reply {
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #options: ReplyOptions;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, options: ReplyOptions) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#options = options;
  }

  send({ status, headers, body, asItCame }: FilteredResponse, extra: readonly string[]): Sent | Promise<Sent> {
    for (const each of extra) headers.push(each);
    this.#options.dress?.(headers, this.#incoming, asItCame);
    if (body === undefined || Buffer.isBuffer(body)) return this.#whole(status, headers, body);
    if (this.#outgoing.destroyed) {
      body.abort();
      return gone(status);
    }
    const ready = body.whole();
    if (ready !== undefined) return this.#whole(status, headers, ready);
    this.#begin(status, headers);
    const { stallMillis = STALL_MILLIS } = this.#options;
    return stream(body, this.#outgoing, stallMillis).then((outcome) => ({ status, outcome }));
  }

  refuse(rejection: Rejection, requestId: string | undefined, extra: readonly string[]): Sent {
    const { form = problem, dress } = this.#options;
    const { head, body } = form(rejection, requestId);
    // A limit that refused has already put its own words there.
    if (!rejection.headers.includes('ratelimit')) head.push(...extra);
    dress?.(head, this.#incoming);
    return this.#whole(rejection.status, head, body);
  }

  #begin(status: number, head: string[]): void {
    const incoming = this.#incoming;
    // A request without a body is complete a moment later, when the parser says so.
    if (!incoming.complete && announcesBody(incoming)) {
      head.push('connection', 'close');
      this.#outgoing.once('finish', () => {
        incoming.resume();
        setTimeout(() => incoming.socket.destroy(), LINGER_MILLIS).unref();
      });
    }
    this.#outgoing.writeHead(status, head);
  }

  #whole(status: number, head: string[], body: Buffer | undefined): Sent {
    const outgoing = this.#outgoing;
    if (outgoing.destroyed) return gone(status);
    this.#begin(status, head);
    if (body === undefined || body.length === 0 || this.#incoming.method === 'HEAD') outgoing.end();
    // One string and one write for head and body; Latin-1 keeps every byte.
    else if (body.length <= ONE_WRITE_BYTES) outgoing.end(body.toString('latin1'), 'latin1');
    else outgoing.end(body);
    return { status, outcome: 'complete' };
  }
}

const gone = (status: number): Sent => ({ status, outcome: 'client-gone' });

/** Ends the connection in the middle of an answer. */
const cut = (outgoing: ServerResponse): void => {
  // Behind another answer it has none yet. When it is given one, Node would write the part and wait for the rest forever.
  if (outgoing.socket === null) outgoing.once('socket', (socket: Socket) => socket.destroy());
  outgoing.destroy();
};

/** Passes the chunks on as they come, at the client's pace; a client that leaves gives the upstream's answer up. */
const stream = (body: BodySource, outgoing: ServerResponse, stallMillis: number): Promise<Sent['outcome']> =>
  new Promise((resolve) => {
    let over = false;
    let stalled: NodeJS.Timeout | undefined;
    const finish = (outcome: Sent['outcome']): void => {
      if (over) return;
      over = true;
      clearTimeout(stalled);
      resolve(outcome);
    };
    // Registered before the first write: a response that was closed already never drains (undici would hold its slot).
    outgoing.once('close', () => {
      if (over) return;
      body.abort();
      finish('client-gone');
    });
    const resume = (): void => {
      clearTimeout(stalled);
      stalled = undefined;
      body.resume();
    };
    const pause = (): void => {
      if (stalled !== undefined) return;
      stalled = setTimeout(() => cut(outgoing), stallMillis).unref();
      outgoing.once('drain', resume);
    };
    let begun = false;
    body.pipe({
      write(chunk) {
        begun = true;
        const more = outgoing.write(chunk);
        if (!more) pause();
        return more;
      },
      end() {
        outgoing.end();
        finish('complete');
      },
      fail() {
        // A client that left gives the upstream's answer up, and hears of it here before its own close.
        const outcome = outgoing.destroyed ? 'client-gone' : 'upstream-broken';
        // The head is out: the only honest end is a cut connection.
        cut(outgoing);
        finish(outcome);
      },
    });
    // Whoever waits for an event that is not there yet knows at least that it will come.
    if (!begun && !over) outgoing.flushHeaders();
  });
