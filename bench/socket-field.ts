/** One contender with its sockets open: the processes of a sample, and what is measured on them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGateway } from './gateway.ts';
import type { Heard, Scope } from './hearing.ts';
import { HELD_FLAGS, heldBytes } from './held.ts';
import {
  accepts,
  cpuMicros,
  freePort,
  type Running,
  residentMegabytes,
  untilItWorks,
  waitedMillis,
} from './processes.ts';
import type { ClientsAnswer, ClientsOrder } from './socket-clients.ts';
import { SOCKETS_PER_USER } from './socket-events.ts';
import type { SendAnswer, SendOrder } from './socket-upstream.ts';
import { startWorker, type Worker } from './worker.ts';

export interface FieldOptions {
  /** A folder of its own, that does not exist yet. */
  readonly folder: string;
  readonly keysFile: string;
  readonly tokensFile: string;
  readonly ledgerFile: string;
  readonly contender: ContenderName;
  readonly sockets: number;
  /** So many sockets have one that is socket.io-client. */
  readonly realOneIn: number;
}

/** How it was to open the sockets, and what they take while nothing is sent. */
export interface Opening {
  readonly connectsPerSecond: number;
  readonly cpuMicrosPerConnect: number;
  /** Of 1,000 bytes; resident, above what was resident after a collection before them. */
  readonly kilobytesPerSocket: number;
  /** Heap and external, after a collection before them and after one with them. */
  readonly heldKilobytesPerSocket: number;
}

export interface Stretch {
  readonly events: number;
  readonly eventsPerSecond: number;
  /** Of the contender, until everything was delivered. */
  readonly cpuMicros: number;
  /** The share of the time in which the contender's main thread was ready and its core did something else. */
  readonly waitedShare: number;
  readonly heard: Heard;
  /** Since the sockets were opened. */
  readonly lost: number;
}

export interface Field {
  readonly opening: Opening;
  /** Sends for a while, to all users or to some, and resolves when all was heard or given up. */
  play(eventsPerSecond: number, millis: number, users?: number): Promise<Stretch>;
  /** Sends nothing for a while, and returns the CPU time that the contender takes for a second of it. */
  rest(millis: number): Promise<number>;
  /** As in the opening, but now. */
  heldKilobytesPerSocket(): Promise<number>;
}

export type ContenderName = 'gateway' | 'stand-in';

interface Contender {
  readonly pid: number;
  readonly process: Running;
  readonly port: number;
  readonly scope: Scope;
  readonly source: Worker<SendOrder, SendAnswer>;
}

/** Opened and closed again before anything is measured. */
const SOCKETS_BEFORE = 500;
const SETTLING_MILLIS = 2000;
/** Below this share of the rate that was asked for it was not that rate that was measured. */
const NEARLY = 0.9;

/** A large nursery: what is heard is garbage at once, and a full collection of the clients' would be measured as a delay. */
const CLIENT_FLAGS = ['--min-semi-space-size=64', '--max-semi-space-size=128'];

const pidOf = ({ child: { pid } }: Running): number => {
  if (pid === undefined) throw new TypeError('the contender has no process');
  return pid;
};

const startSource = async (core: 0 | 1, kind: 'plain' | 'stand-in', folder: string) => {
  const port = await freePort();
  const flags = kind === 'stand-in' ? HELD_FLAGS : [];
  const words = [kind, String(port), folder];
  const source: Contender['source'] = startWorker(core, 'socket-upstream.ts', { flags, words });
  await untilItWorks(source.process, () => accepts(port));
  return { source, port };
};

const CONTENDERS: Readonly<Record<ContenderName, (options: FieldOptions) => Promise<Contender>>> = {
  gateway: async ({ folder, keysFile, ledgerFile }) => {
    const { source, port: upstreamPort } = await startSource(1, 'plain', folder);
    const port = await freePort();
    const own = { folder: join(folder, 'gateway'), flags: HELD_FLAGS };
    const { process } = await startGateway({ ...own, port, upstreamPort, keysFile, ledgerFile, redisPort: undefined });
    return { pid: pidOf(process), process, port, scope: 'own', source };
  },
  'stand-in': async ({ folder }) => {
    const { source, port } = await startSource(0, 'stand-in', join(folder, 'stand-in'));
    return { pid: pidOf(source.process), process: source.process, port, scope: 'everybody', source };
  },
};

/** Starts a contender on core 0 and its clients on core 1, and opens the sockets. */
export const openField = async (options: FieldOptions): Promise<Field> => {
  const { folder, tokensFile, sockets, realOneIn } = options;
  mkdirSync(folder);
  const contender = await CONTENDERS[options.contender](options);
  const clients = startWorker<ClientsOrder, ClientsAnswer>(1, 'socket-clients.ts', {
    flags: CLIENT_FLAGS,
    words: [tokensFile],
  });
  const ask = async (order: ClientsOrder): Promise<ClientsAnswer> => {
    const answer = await clients.ask(order);
    if (answer.fault !== undefined) throw new Error(`${answer.fault} ${contender.process.complaint()}`);
    return answer;
  };
  const { port, scope, pid } = contender;
  // A process that has had no sockets yet compiles and grows its nursery, whatever their number is.
  await ask({ do: 'connect', port, sockets: SOCKETS_BEFORE, realOneIn, scope });
  await ask({ do: 'disconnect' });
  await sleep(SETTLING_MILLIS);
  const memory = { heldBytes: await heldBytes(pid), residentMegabytes: residentMegabytes(pid) };
  const before = cpuMicros(pid);
  const { millis } = await ask({ do: 'connect', port, sockets, realOneIn, scope });
  const micros = cpuMicros(pid) - before;
  await sleep(SETTLING_MILLIS);
  const kilobytesPerSocket = ((residentMegabytes(pid) - memory.residentMegabytes) * 1000) / sockets;
  const heldKilobytesPerSocket = async (): Promise<number> =>
    ((await heldBytes(pid)) - memory.heldBytes) / 1000 / sockets;
  return {
    opening: {
      connectsPerSecond: (sockets / millis) * 1000,
      cpuMicrosPerConnect: micros / sockets,
      kilobytesPerSocket,
      heldKilobytesPerSocket: await heldKilobytesPerSocket(),
    },
    play: player(contender, sockets, ask),
    async rest(restMillis) {
      const rested = cpuMicros(pid);
      await sleep(restMillis);
      return ((cpuMicros(pid) - rested) / restMillis) * 1000;
    },
    heldKilobytesPerSocket,
  };
};

const player =
  ({ pid, scope, source }: Contender, sockets: number, ask: (order: ClientsOrder) => Promise<ClientsAnswer>) =>
  async (eventsPerSecond: number, millis: number, users = sockets / SOCKETS_PER_USER): Promise<Stretch> => {
    await ask({ do: 'listen', millis });
    const startedAt = performance.now();
    const before = cpuMicros(pid);
    const waitedBefore = waitedMillis(pid);
    const answer = await source.ask({ users, eventsPerSecond, millis, scope });
    const { heard, lost } = await ask({ do: 'report', sent: answer.sent });
    const micros = cpuMicros(pid) - before;
    const waitedShare = (waitedMillis(pid) - waitedBefore) / (performance.now() - startedAt);
    const achieved = (answer.events / answer.millis) * 1000;
    // The stand-in sends by itself: how fast it can is the question.
    if (scope === 'own' && achieved < eventsPerSecond * NEARLY)
      throw new Error(`only ${achieved.toFixed(0)} events a second were sent`);
    return { events: answer.events, eventsPerSecond: achieved, cpuMicros: micros, waitedShare, heard, lost };
  };
