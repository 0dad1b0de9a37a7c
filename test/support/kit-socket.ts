/** Sockets of the client kit, which end with the test that opened them, and what came of them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type SocketOptions as IoOptions, io, type ManagerOptions, type Socket } from 'socket.io-client';
import { afterEach } from 'vitest';
import { type ClientOptions, type GatewayError, gatewayClient, type Notice } from '../../client/index.ts';
import { eventually } from './eventually.ts';

const ends: Array<() => void> = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

type Given = Omit<ClientOptions, 'url'> & { readonly io?: Partial<ManagerOptions & IoOptions>; readonly url: string };

/** Connects, and keeps what came. */
export const kitSocket = ({ io: settings, url, ...options }: Given) => {
  const errors: GatewayError[] = [];
  const notices: Notice[] = [];
  const closings: unknown[] = [];
  const heard: unknown[] = [];
  const refusals: unknown[] = [];
  let connects = 0;
  const { fetch, ...client } = gatewayClient({ url, ...options });
  const { socket, stop } = client.socket(io, {
    io: { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 100, ...settings },
    onNotice: (notice) => notices.push(notice),
    onError: (error) => errors.push(error),
  });
  ends.push(stop);
  socket.on('connect', () => (connects += 1));
  socket.on('connect_error', (error) => refusals.push((error as { data?: unknown }).data));
  socket.on('session_update', (update: unknown) => heard.push(update));
  socket.on('disconnect', (_, details) => {
    closings.push((details as unknown as { context?: { code?: number } })?.context?.code);
  });
  const isIn = () => eventually(() => socket.connected);
  return {
    socket: socket satisfies Socket,
    stop,
    fetch,
    errors,
    notices,
    closings,
    refusals,
    heard,
    isIn,
    connects: () => connects,
  };
};

const KIT = new URL('../../client/index.ts', import.meta.url).href;

/** Runs a program of its own that stops its socket at this; resolves with its exit code, what it said, and how long it took to end. */
export const stopping = async (url: string, token: string, at: 'connect' | 'error') => {
  const program = `
    import { io } from 'socket.io-client';
    import { gatewayClient } from ${JSON.stringify(KIT)};
    const [url, token, at] = process.argv.slice(1);
    const say = (what) => { console.log(what); if (what === at) stop(); };
    const { socket, stop } = gatewayClient({ url, token: () => token }).socket(io, { onError: () => say('error') });
    socket.on('connect', () => say('connect'));`;
  const args = ['--input-type=module', '-e', program, url, token, at];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  ends.push(() => child.kill('SIGKILL'));
  const [first] = await once(child.stdout, 'data');
  const from = performance.now();
  const [code] = await once(child, 'exit');
  return { code, said: String(first), isSoon: performance.now() - from < 3_000 };
};
