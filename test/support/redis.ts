/** A real redis-server for one test file: on a free port of the loopback, without persistence, ended with the file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** Sends an inline command on a connection of its own and returns the first bytes of the reply. */
  ask(command: string): Promise<string>;
  /** Ends the process as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
  /** Takes connections and bytes, and answers nothing. */
  pause(): void;
  resume(): void;
  /** Ends the process and removes its directory. */
  stop(): Promise<void>;
}

export async function startRedis(args: readonly string[] = []): Promise<TestRedis> {
  const directory = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = await freePort();
  let server = await launch(port, directory, args);

  async function kill(): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    ask: (command) => ask(port, command),
    kill,
    async restart() {
      server = await launch(port, directory, args);
    },
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    async stop() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function launch(port: number, directory: string, args: readonly string[]): Promise<ChildProcess> {
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory];
  const server = spawn('redis-server', [...fixed, ...args], { stdio: 'ignore' });
  const end = (): void => void server.kill('SIGKILL');
  process.once('exit', end);
  server.once('exit', () => process.removeListener('exit', end));
  const failed = once(server, 'exit').then(() => Promise.reject(new Error('redis-server ended before it answered')));
  failed.catch(() => undefined);
  await Promise.race([failed, answers(port)]);
  return server;
}

async function answers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const reply = await ask(port, 'PING').catch(() => '');
    // With a password, any answer shows that it is up.
    if (reply.startsWith('+PONG') || reply.startsWith('-NOAUTH')) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('redis-server did not answer');
}

async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write(`${command}\r\n`);
    const [reply] = (await once(socket, 'data')) as [Buffer];
    return reply.toString();
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const closed = once(server, 'close');
  server.close();
  await closed;
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
