/** A client of the Jaaz API as its page is one: requests with a token, and an ear for live events. Nothing else is known. */
import { io, type Socket } from 'socket.io-client';
import { eventually } from './eventually.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
  /** The problem document's code; undefined where the answer is not one of the gateway's own. */
  readonly code: string | undefined;
}

export interface ClientOptions {
  readonly url: string;
  /** Undefined: nothing is presented, as to the bare server. */
  readonly token: string | undefined;
  /** Told of every answer as it was received. */
  readonly received?: (answer: Answer, what: string) => void;
}

export interface Client {
  get(path: string): Promise<Answer>;
  /** Without a body, nothing is announced. */
  post(path: string, body?: object): Promise<Answer>;
  remove(path: string): Promise<Answer>;
  upload(fileName: string, bytes: Buffer): Promise<Answer>;
}

/** Returns the requests of one user. */
export const jaazClient = ({ url, token, received }: ClientOptions): Client => {
  const identity: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };

  const call = async (method: string, path: string, init: { body?: string | FormData; type?: string } = {}) => {
    const headers = { ...identity, ...(init.type === undefined ? {} : { 'content-type': init.type }) };
    const body = init.body === undefined ? {} : { body: init.body };
    const response = await fetch(url + path, { method, headers, redirect: 'manual', ...body });
    const bytes = Buffer.from(await response.arrayBuffer());
    const text = bytes.toString('utf8');
    const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
    const code = isProblem ? (JSON.parse(text) as { code?: string }).code : undefined;
    const answer: Answer = { status: response.status, headers: response.headers, bytes, text, code };
    received?.(answer, `${method} ${path}`);
    return answer;
  };

  return {
    get: (path) => call('GET', path),
    post: (path, body) =>
      call('POST', path, body === undefined ? {} : { body: JSON.stringify(body), type: 'application/json' }),
    remove: (path) => call('DELETE', path),
    upload(fileName, bytes) {
      const form = new FormData();
      form.append('file', new Blob([new Uint8Array(bytes)], { type: 'image/png' }), fileName);
      return call('POST', '/api/upload_image', { body: form });
    },
  };
};

export interface Update {
  readonly type: string;
  readonly session_id: unknown;
  readonly canvas_id: unknown;
  readonly [field: string]: unknown;
}

export interface Ear {
  readonly socket: Socket;
  readonly updates: readonly Update[];
  /** Resolves once that many `done` of the session were heard. */
  done(session: string, count?: number, withinMillis?: number): Promise<void>;
  /** Resolves with the name of the first file that was made for the session. */
  picture(session: string): Promise<string>;
  close(): void;
}

export interface EarOptions {
  readonly url: string;
  readonly token: string | undefined;
  /** Told of every packet's text, before it is parsed. */
  readonly received?: (packet: string) => void;
}

/** Resolves with a connected socket that keeps what it is told. */
export const openEar = async ({ url, token, received }: EarOptions): Promise<Ear> => {
  const socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    ...(token === undefined ? {} : { auth: { token } }),
  });
  const updates: Update[] = [];
  socket.on('session_update', (update: Update) => updates.push(update));
  socket.io.on('open', () =>
    socket.io.engine.on('packet', ({ data }: { data?: unknown }) => data !== undefined && received?.(String(data))),
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  const ofType = (session: string, type: string) =>
    updates.filter((update) => update.session_id === session && update.type === type);
  return {
    socket,
    updates,
    done: (session, count = 1, withinMillis = 20_000) =>
      eventually(() => ofType(session, 'done').length >= count, withinMillis),
    async picture(session) {
      await eventually(() => ofType(session, 'image_generated').length > 0, 20_000);
      return String(ofType(session, 'image_generated')[0]?.image_url).replace('/api/file/', '');
    },
    close: () => void socket.disconnect(),
  };
};

export interface ChatOptions {
  readonly canvas: string;
  readonly session: string;
  readonly prompt: string;
  readonly more?: object;
}

/** Returns the body of a create or a chat, as the page sends it. */
export const chatBody = ({ canvas, session, prompt, more }: ChatOptions): object => ({
  canvas_id: canvas,
  session_id: session,
  name: `About ${prompt}`,
  messages: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
  text_model: { provider: 'openai', model: 'gpt-4o', url: '' },
  tool_list: [],
  system_prompt: '',
  ...more,
});
