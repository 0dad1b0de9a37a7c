/**
 * The two clients: socket.io-client, and a lean one that speaks the same protocols on a bare WebSocket, at a third of the
 * cost, for where it is the server that should be short of time and not the clients.
 */
import { io } from 'socket.io-client';
import WebSocket from 'ws';

export interface ClientOptions {
  readonly port: number;
  readonly token: string;
  readonly heard: (name: unknown, payload: unknown) => void;
  /** The connection is over after it was open. */
  readonly ended: (why: string) => void;
}

/** Resolves when the server has acknowledged the connection, with what ends it; rejects when the server refuses it. */
export type OpenClient = (options: ClientOptions) => Promise<() => void>;

/** As a browser's page opens it. */
const headersFor = (port: number) => ({
  origin: `http://127.0.0.1:${port}`,
  'user-agent': 'Mozilla/5.0 (X11; Linux x64) bench',
  'accept-language': 'en-GB,en;q=0.9',
  'cache-control': 'no-cache',
});

export const realClient: OpenClient = ({ port, token, heard, ended }) =>
  new Promise((resolve, reject) => {
    const socket = io(`http://127.0.0.1:${port}`, {
      transports: ['websocket'],
      upgrade: false,
      forceNew: true,
      reconnection: false,
      auth: { token },
      extraHeaders: headersFor(port),
    });
    socket.onAny(heard);
    socket.once('connect', () => resolve(() => socket.disconnect()));
    socket.once('connect_error', reject);
    socket.once('disconnect', ended);
  });

const OPEN = 0x30;
const PING = 0x32;
const MESSAGE = 0x34;
const CONNECT = 0x30;
const EVENT = 0x32;
const CONNECT_ERROR = 0x34;

export const leanClient: OpenClient = ({ port, token, heard, ended }) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, {
      headers: headersFor(port),
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
    const hearPacket = (text: string): void => {
      const type = text.charCodeAt(1);
      if (type === EVENT) {
        const [name, payload] = JSON.parse(text.slice(2));
        heard(name, payload);
      } else if (type === CONNECT) resolve(() => socket.close());
      else if (type === CONNECT_ERROR) reject(new Error(text));
    };
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      const type = text.charCodeAt(0);
      if (type === MESSAGE) hearPacket(text);
      else if (type === PING) socket.send('3');
      else if (type === OPEN) socket.send(`40${JSON.stringify({ token })}`);
    });
    socket.on('error', reject);
    socket.on('close', (code) => {
      reject(new Error(`closed with ${code}`));
      ended(`closed with ${code}`);
    });
  });
