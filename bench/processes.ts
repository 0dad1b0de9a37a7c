/** The processes under measurement: started on a core of their own, watched through /proc, ended at the end. */
import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  execFileSync,
  spawn,
  spawnSync,
} from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** performance.now() just before it was started. */
  readonly startedAt: number;
  /** What it wrote to standard error, the last part of it. */
  readonly complaint: () => string;
}

/** True when a program can be started at all. */
export const isInstalled = (program: string, versionFlag: string): boolean =>
  spawnSync(program, [versionFlag], { stdio: 'ignore' }).error === undefined;

/** What a program says about its version, on either stream; `unknown` when it says none. */
export const versionOf = (program: string, versionFlag: string): string => {
  const { stdout, stderr } = spawnSync(program, [versionFlag], { encoding: 'utf8' });
  return `${stdout}${stderr}`.match(/\d+\.\d+\.\d+/)?.[0] ?? 'unknown';
};

export const canPin = isInstalled('taskset', '--version');

const running = new Set<ChildProcess>();

/** Starts a program, pinned to a core where that is possible. */
export const start = (core: 0 | 1, command: readonly string[]): Running => {
  const [program, ...args] = canPin ? ['taskset', '-c', String(core), ...command] : command;
  if (program === undefined) throw new TypeError('no command');
  const startedAt = performance.now();
  const child = spawn(program, args, { stdio: 'pipe' });
  let complaint = '';
  child.stdout.resume();
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk}`.slice(-2000);
  });
  running.add(child);
  child.on('error', (error) => {
    complaint = error.message;
  });
  child.on('close', () => running.delete(child));
  return { child, startedAt, complaint: () => complaint.trim() };
};

/** Ends one of them, and resolves when it is gone. */
export const stop = async ({ child }: Running): Promise<void> => {
  const gone = once(child, 'close');
  child.kill('SIGTERM');
  await gone;
};

/** Ends everything that was started, and resolves when all of it is gone. */
export const stopAll = async (): Promise<void> => {
  const gone = [...running].map((child) => once(child, 'close'));
  for (const child of running) child.kill('SIGTERM');
  const late = setTimeout(() => {
    for (const child of running) child.kill('SIGKILL');
  }, 10_000);
  await Promise.all(gone);
  clearTimeout(late);
};

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return address.port;
};

/** Resolves when `attempt` does, trying again every 5 ms; rejects when the process has ended or the time is over. */
export const untilItWorks = async (process: Running, attempt: () => Promise<void>): Promise<void> => {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      const { exitCode, signalCode } = process.child;
      if (exitCode !== null || signalCode !== null || performance.now() > deadline)
        throw new Error(`does not start: ${process.complaint() || String(error)}`);
      await sleep(5);
    }
  }
};

/** Resolves when somebody accepts connections on a port. */
export const accepts = async (port: number): Promise<void> => {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
};

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

const withChildren = (pid: number): number[] => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return [pid, ...children.flatMap((child) => withChildren(Number(child)))];
};

/** CPU time that a process and its children have used so far, in microseconds, in user and in kernel mode. */
export const cpuMicros = (pid: number): number =>
  withChildren(pid)
    .map((one) => {
      // The second field is the name in brackets and may hold anything; utime and stime are the 14th and 15th.
      const fields = readFileSync(`/proc/${one}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1e6;
    })
    .reduce((sum, micros) => sum + micros, 0);

/** Resident memory of a process, in megabytes of 10^6 bytes. */
export const residentMegabytes = (pid: number): number => {
  const kibibytes = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m)?.[1];
  return (Number(kibibytes) * 1024) / 1e6;
};

/**
 * For how long a process's main thread has been ready to run while its core did something else, in milliseconds; NaN
 * where the system does not count it.
 */
export const waitedMillis = (pid: number): number => {
  const file = `/proc/${pid}/schedstat`;
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[1]) / 1e6 : Number.NaN;
};
