/**
 * The group `http`: GETs of 650 bytes through every contender, all of them in every round and each time in another
 * order, so that what disturbs the machine disturbs all alike. The medians of the rounds count.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONTENDERS, type Contender, isAvailable, type Stage, type Started } from './contenders.ts';
import { makeIdentities, seedLedger } from './identities.ts';
import type { LoadOrder, LoadResult } from './load.ts';
import { accepts, cpuMicros, freePort, residentMegabytes, start, stopAll, untilItWorks } from './processes.ts';
import { median, rotated } from './rounds.ts';

export interface HttpOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export interface Row {
  readonly name: string;
  readonly what: string;
  readonly version: string;
  readonly cpuMicrosPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p99Millis: number;
}

export interface HttpResults {
  readonly rows: readonly Row[];
  /** Servers that are no proxies, measured in the same rounds. */
  readonly orientation: readonly Row[];
  /** Of gateway-memory, two seconds after its start. */
  readonly idleMegabytes: number | undefined;
  /** Of gateway-memory, from the start of the process until it says that it is ready. */
  readonly readyMillis: number | undefined;
  readonly missing: readonly string[];
  readonly failing: readonly string[];
}

export interface Sample {
  readonly cpuMicrosPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p99Millis: number;
}

export interface Runner {
  readonly contender: Contender;
  readonly started: Started;
  readonly samples: Sample[];
}

const IDLE_MILLIS = 2000;

/**
 * Connections are opened, tokens and owners become known, and code is compiled: V8 goes on doing that for about ten seconds
 * of load, and what it uses for it would be counted as the requests'.
 */
const WARM_UP_ROUNDS = 3;

export type Load = (order: LoadOrder) => Promise<LoadResult>;

/** Starts the load with a file of requests. */
export const startLoad = (requestsFile: string): Load => {
  const script = join(import.meta.dirname, 'load.ts');
  const { child } = start(1, [process.execPath, script, requestsFile]);
  const lines = createInterface({ input: child.stdout });
  const { stdin } = child;
  return async (order) => {
    const line = once(lines, 'line');
    stdin.write(`${JSON.stringify(order)}\n`);
    const [text] = await line;
    return JSON.parse(String(text));
  };
};

/** Measures one contender once, or throws when a single answer was not a 200. */
export const measure = async (
  { contender, started }: Omit<Runner, 'samples'>,
  load: Load,
  millis: number,
): Promise<Sample> => {
  const pid = started.process.child.pid;
  if (pid === undefined) throw new TypeError(`${contender.name} has no process`);
  const before = cpuMicros(pid);
  const result = await load({ port: started.port, millis });
  const micros = cpuMicros(pid) - before;
  if (result.fault !== undefined) throw new Error(`${contender.name}: ${result.fault} ${started.process.complaint()}`);
  return {
    cpuMicrosPerRequest: micros / result.requests,
    requestsPerSecond: (result.requests / result.millis) * 1000,
    p99Millis: result.p99Millis,
  };
};

const rowOf = ({ contender: { name, what, version }, samples }: Runner): Row => ({
  name,
  what,
  version: version(),
  cpuMicrosPerRequest: median(samples.map((sample) => sample.cpuMicrosPerRequest)),
  requestsPerSecond: median(samples.map((sample) => sample.requestsPerSecond)),
  p99Millis: median(samples.map((sample) => sample.p99Millis)),
});

const prepare = async (folder: string): Promise<Stage> => {
  const identities = await makeIdentities(folder);
  const ledgerFile = join(folder, 'ownership.db');
  await seedLedger(ledgerFile);
  const upstreamPort = await freePort();
  const upstream = start(1, [process.execPath, join(import.meta.dirname, 'upstream.ts'), String(upstreamPort)]);
  await untilItWorks(upstream, () => accepts(upstreamPort));
  return { folder, identities, ledgerFile, upstreamPort };
};

interface Field {
  readonly runners: Runner[];
  readonly failing: string[];
  readonly idleMegabytes: ReadonlyMap<string, number>;
}

/** Starts the contenders one after the other, and looks at each gateway's memory before it has served anything. */
const startAll = async (contenders: readonly Contender[], stage: Stage, { say }: HttpOptions): Promise<Field> => {
  const runners: Runner[] = [];
  const failing: string[] = [];
  const idleMegabytes = new Map<string, number>();
  for (const contender of contenders) {
    try {
      const started = await contender.start(stage);
      runners.push({ contender, started, samples: [] });
      const { child, startedAt } = started.process;
      if (started.readyMillis === undefined || child.pid === undefined) continue;
      await sleep(Math.max(0, startedAt + IDLE_MILLIS - performance.now()));
      idleMegabytes.set(contender.name, residentMegabytes(child.pid));
    } catch (error) {
      failing.push(contender.name);
      say(`${contender.name} FAILS: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { runners, failing, idleMegabytes };
};

/** Measures, and drops a contender at its first fault. */
const playRounds = async ({ runners, failing }: Field, load: Load, options: HttpOptions): Promise<Runner[]> => {
  const { rounds, seconds, say } = options;
  const playing = [...runners];
  for (let round = 1 - WARM_UP_ROUNDS; round <= rounds; round += 1) {
    for (const runner of rotated([...playing], round + WARM_UP_ROUNDS)) {
      try {
        const sample = await measure(runner, load, seconds * 1000);
        if (round > 0) runner.samples.push(sample);
      } catch (error) {
        failing.push(runner.contender.name);
        playing.splice(playing.indexOf(runner), 1);
        say(`${runner.contender.name} FAILS: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    if (round === 0) say('warmed up');
    else if (round > 0) say(`round ${round} of ${rounds} done`);
  }
  return playing;
};

/** Runs the group, and resolves with its medians. Nothing that it started is left behind. */
export const benchHttp = async (options: HttpOptions): Promise<HttpResults> => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-bench-'));
  try {
    const missing = CONTENDERS.filter((contender) => !isAvailable(contender));
    for (const { name, needs } of missing) options.say(`${name} is left out: ${needs?.[0]} is not installed`);
    const stage = await prepare(folder);
    const field = await startAll(CONTENDERS.filter(isAvailable), stage, options);
    const load = startLoad(stage.identities.requestsFile);
    const finished = await playRounds(field, load, options);
    const gateway = field.runners.find(({ contender }) => contender.name === 'gateway-memory');
    return {
      rows: finished.filter(({ contender }) => !contender.orientation).map(rowOf),
      orientation: finished.filter(({ contender }) => contender.orientation).map(rowOf),
      idleMegabytes: field.idleMegabytes.get('gateway-memory'),
      readyMillis: gateway?.started.readyMillis,
      missing: missing.map(({ name }) => name),
      failing: field.failing,
    };
  } finally {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
};
