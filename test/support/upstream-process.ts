/** The server behind the gateway as a process, to be killed, frozen and started again on its port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface UpstreamProcess {
  readonly url: string;
  readonly port: number;
  /** Broadcasts these events, in order: names and payloads. */
  emit(events: ReadonlyArray<readonly [name: string, payload: object]>): void;
  /** The most connections that it ever had at once, since it was started last. */
  mostConnections(): number;
  /** Stands still, and takes bytes all the same. */
  freeze(): void;
  thaw(): void;
  /** Ends as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  restart(): Promise<void>;
}

export const startUpstreamProcess = async (): Promise<UpstreamProcess> => {
  let running = await launch(0);
  const { port } = running;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    emit: (events) => void running.child.stdin?.write(`${JSON.stringify(events)}\n`),
    mostConnections: () => running.most(),
    freeze: () => void running.child.kill('SIGSTOP'),
    thaw: () => void running.child.kill('SIGCONT'),
    async kill() {
      const { child } = running;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    async restart() {
      running = await launch(port);
    },
  };
};

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  most(): number;
}

const launch = async (port: number): Promise<Running> => {
  const child = spawn(process.execPath, ['test/support/upstream-child.ts', String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.removeListener('exit', end));
  let most = 0;
  const bound = await new Promise<number>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout });
    lines.on('close', () => reject(new Error('the upstream ended before it listened')));
    lines.on('line', (line) => {
      const [word, number] = line.split(' ');
      if (word === 'listening') resolve(Number(number));
      else most = Math.max(most, Number(number));
    });
  });
  return { child, port: bound, most: () => most };
};
