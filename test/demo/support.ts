/** What the stand-in's tests share: a server on a free port, requests byte by byte, and an ear for events. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { type StandIn, type StandInOptions, startStandIn } from '../../demo/jaaz/server.ts';

export interface Update {
  readonly type: string;
  readonly session_id: unknown;
  readonly canvas_id: unknown;
  readonly [field: string]: unknown;
}

/** Starts a stand-in without waiting between steps; disposing it removes its data. */
export async function start(options: Partial<StandInOptions> = {}): Promise<StandIn & AsyncDisposable> {
  const dataDir = mkdtempSync(join(tmpdir(), 'stand-in-'));
  const standIn = await startStandIn({ dataDir, stepMillis: 0, ...options });
  return Object.assign(standIn, {
    async [Symbol.asyncDispose]() {
      await standIn.close();
      rmSync(dataDir, { recursive: true });
    },
  });
}

interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends a text byte by byte (latin-1) and reads one whole answer. */
export function raw(port: number, bytes: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    const ended = () => {
      const text = Buffer.concat(chunks).toString('latin1');
      const gap = text.indexOf('\r\n\r\n');
      if (gap < 0) return undefined;
      const head = text.slice(0, gap);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      const empty = bytes.startsWith('HEAD');
      if (!empty && text.length < gap + 4 + length) return undefined;
      return { status: Number(head.slice(9, 12)), head, body: text.slice(gap + 4) };
    };
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const answer = ended();
      if (answer === undefined) return;
      socket.destroy();
      resolve(answer);
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`closed after ${Buffer.concat(chunks).toString('latin1')}`)));
    socket.write(Buffer.from(bytes, 'latin1'));
  });
}

/** Sends a text as it is, or JSON, without a Content-Type to a route and returns status and text. */
export function post(standIn: StandIn, path: string, body: string | object) {
  return postBytes(standIn, path, { bytes: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) });
}

interface TypedBytes {
  // A text would be given a Content-Type by fetch.
  readonly bytes: Buffer<ArrayBuffer>;
  readonly type?: string | undefined;
}

/** Sends bytes with this Content-Type, or without one, to a route and returns status and text. */
export async function postBytes(standIn: StandIn, path: string, { bytes, type }: TypedBytes) {
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  const response = await fetch(standIn.url + path, { method: 'POST', headers, body: bytes });
  return { status: response.status, text: await response.text() };
}

/** Fetches a path and returns status and text. */
export async function get(standIn: StandIn, path: string) {
  const response = await fetch(standIn.url + path);
  return { status: response.status, text: await response.text() };
}

interface Ear extends Disposable {
  readonly socket: Socket;
  readonly updates: Update[];
  /** Resolves with all updates so far, once the condition holds. */
  until(condition: (updates: readonly Update[]) => boolean): Promise<readonly Update[]>;
}

/** Connects a socket and collects what it is told. */
export async function listen(standIn: StandIn): Promise<Ear> {
  const socket = io(standIn.url, { transports: ['websocket'], forceNew: true, reconnection: false });
  const updates: Update[] = [];
  const waiting = new Set<() => void>();
  socket.on('session_update', (update: Update) => {
    updates.push(update);
    for (const check of waiting) check();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return {
    socket,
    updates,
    until: (condition) =>
      new Promise((resolve) => {
        const check = () => {
          if (!condition(updates)) return;
          waiting.delete(check);
          resolve(updates);
        };
        waiting.add(check);
        check();
      }),
    [Symbol.dispose]: () => {
      socket.disconnect();
    },
  };
}

/** Returns a condition: that many `done` events of a session. */
export function dones(session: unknown, count: number) {
  return (updates: readonly Update[]) =>
    updates.filter((update) => update.type === 'done' && update.session_id === session).length >= count;
}

/** Returns a chat body with one message. */
export function chatBody(canvas: string, session: string, prompt: string) {
  const messages = [{ role: 'user', content: prompt }];
  return { canvas_id: canvas, session_id: session, name: 'A canvas', messages };
}
