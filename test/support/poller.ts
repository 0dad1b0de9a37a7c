/** An Engine.IO client that polls by hand: each request is one call, with whatever headers and id a test likes. */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';

export interface Polled {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The packets of a payload. */
  readonly packets: readonly string[];
  /** The code of a problem document. */
  readonly code: string | undefined;
}

export interface Asking {
  readonly method?: string;
  readonly sid?: string;
  readonly token?: string | undefined;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** Further pairs of the query, such as `&t=x`. */
  readonly more?: string;
  readonly transport?: string;
}

export type Poller = ReturnType<typeof poller>;

interface Place {
  readonly port: number;
  readonly path: string;
}

/** Returns a client of the server on a port, with connections of its own. */
export const poller = (port: number, path = '/socket.io/') => {
  const agent = new Agent({ keepAlive: true });
  const abort = new AbortController();
  /** What each session was opened with. */
  const opened = new Map<string, Asking>();
  const ask = (asking: Asking) => answerTo({ port, path }, { ...asking, agent, signal: abort.signal });

  const post = (sid: string, body: string, asking: Asking = {}): Promise<Polled> => {
    const headers = { 'content-type': 'text/plain;charset=UTF-8', 'content-length': Buffer.byteLength(body) };
    return ask({ ...asking, method: 'POST', sid, body, headers: { ...headers, ...asking.headers } });
  };

  return {
    ask,
    poll: (sid: string, asking: Asking = {}) => ask({ ...asking, sid }),
    post,
    /** Resolves with the id of a new session. */
    async open(asking: Asking = {}): Promise<string> {
      const { packets, status, body } = await ask(asking);
      const [first = ''] = packets;
      if (status !== 200 || !first.startsWith('0{')) throw new Error(`no session: ${status} ${body}`);
      const { sid } = JSON.parse(first.slice(1)) as { sid: string };
      opened.set(sid, asking);
      return sid;
    },
    /** Resolves with the id of a new session that is connected to the namespace, and what it was told by then. */
    async join(token: string): Promise<{ sid: string; told: readonly string[] }> {
      const sid = await this.open({ token });
      const told: string[] = [];
      await post(sid, '40', { token });
      while (!told.some((packet) => packet.includes('"connected"'))) {
        const { packets, status, body } = await ask({ sid, token });
        if (status !== 200) throw new Error(`${status} ${body}`);
        told.push(...packets);
      }
      return { sid, told };
    },
    /** Closes its sessions as a client does that is done. */
    async leave(): Promise<void> {
      await Promise.allSettled([...opened].map(([sid, asking]) => post(sid, '1', asking)));
      this.close();
    },
    /** Gives everything up as a client does that is killed, answers that are still waited for too. */
    close(): void {
      abort.abort();
      agent.destroy();
    },
  };
};

interface Connecting {
  readonly agent: Agent;
  readonly signal: AbortSignal;
}

const answerTo = ({ port, path }: Place, asking: Asking & Connecting): Promise<Polled> =>
  new Promise((resolve, reject) => {
    const { method = 'GET', sid, token, headers, body, more = '', transport = 'polling', agent, signal } = asking;
    const target = `${path}?EIO=4&transport=${transport}${sid === undefined ? '' : `&sid=${sid}`}${more}`;
    const shown = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const options = { host: '127.0.0.1', port, path: target, method, agent, signal, headers: { ...shown, ...headers } };
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve(polled(response, text)));
    });
    sent.on('error', reject);
    sent.end(body);
  });

const polled = ({ statusCode: status = 0, headers }: IncomingMessage, body: string): Polled => {
  const isProblem = headers['content-type'] === 'application/problem+json';
  const code = isProblem ? (JSON.parse(body) as { code: string }).code : undefined;
  return { status, headers, body, packets: body.split('\u001e'), code };
};
