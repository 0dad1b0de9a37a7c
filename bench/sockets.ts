/**
 * The group `sockets`: live events through the gateway to the sockets of their owners, at a steady rate and with more
 * and more sockets that are somebody else's; beside the stand-in for the server, whose broadcast goes to all of them.
 * Every sample has processes of its own, and every row is in every round.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeIdentities, seedSessions } from './identities.ts';
import { stopAll } from './processes.ts';
import { rotated } from './rounds.ts';
import { type ContenderName, type Field, type FieldOptions, openField } from './socket-field.ts';
import { findRate, playSustained } from './socket-rate.ts';
import { faultsOf, type Measured, rowOf, type SocketRow, type SocketSample, sampleOf } from './socket-rows.ts';

export interface SocketsOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export interface SocketsResults {
  readonly rows: readonly SocketRow[];
  readonly failing: readonly string[];
}

interface Case {
  readonly name: string;
  readonly contender: ContenderName;
  readonly sockets: number;
  readonly realOneIn: number;
}

const ours = (sockets: number): Case => ({ name: `sockets-${sockets}`, contender: 'gateway', sockets, realOneIn: 1 });

/** What the broadcast delivers in a second is more than one core of socket.io-clients can hear. */
const CASES: readonly Case[] = [
  ours(500),
  ours(2000),
  ours(5000),
  { name: 'broadcast-5000', contender: 'stand-in', sockets: 5000, realOneIn: 50 },
];

const EVENTS_PER_SECOND = 1000;
const WARM_UP_MILLIS = 3000;
/** All of the smallest row's: to them, every socket that the larger rows have more is a stranger's. */
const FEW_USERS = 50;
/** Of the time for all users. */
const FEW_SHARE = 0.4;
/** Files that a process has open besides its sockets. */
const SPARE_FILES = 200;
/** Of the time; a process that waits for its core longer than this was not alone on it. */
const DISTURBED = 0.05;

interface Runner extends Case {
  readonly samples: SocketSample[];
  /** At which the broadcast was sustained; found in the first round. */
  rate: number | undefined;
}

interface Round {
  readonly number: number;
  readonly millis: number;
  readonly say: (line: string) => void;
}

type Played = Pick<Measured, 'warmUp' | 'stretch' | 'few' | 'restingMicrosPerSecond'>;

const playSteadily = async (field: Field, { number, millis }: Round): Promise<Played> => {
  const restingMicrosPerSecond = number === 0 ? await field.rest(millis) : undefined;
  const warmUp = await field.play(EVENTS_PER_SECOND, WARM_UP_MILLIS);
  const stretch = await field.play(EVENTS_PER_SECOND, millis);
  const few = await field.play(EVENTS_PER_SECOND, millis * FEW_SHARE, FEW_USERS);
  return { restingMicrosPerSecond, warmUp, stretch, few };
};

const playWhatItCan = async (runner: Runner, field: Field, { millis, say }: Round): Promise<Played> => {
  const warmUp = await field.play(1, WARM_UP_MILLIS);
  runner.rate ??= await findRate(field, say);
  const stretch = await playSustained(field, runner.rate, millis);
  runner.rate = Math.min(runner.rate, stretch.eventsPerSecond);
  return { restingMicrosPerSecond: undefined, warmUp, stretch, few: undefined };
};

/** Measures one row once, on processes that were started for it. */
const takeSample = async (runner: Runner, options: FieldOptions, round: Round): Promise<SocketSample> => {
  try {
    const field = await openField(options);
    const played = await (runner.contender === 'gateway'
      ? playSteadily(field, round)
      : playWhatItCan(runner, field, round));
    const heldKilobytesPerSocketAfter = await field.heldKilobytesPerSocket();
    return sampleOf({ opening: field.opening, ...played, heldKilobytesPerSocketAfter });
  } finally {
    await stopAll();
  }
};

/** Node has raised the soft limit to the hard one when it started. */
const maxOpenFiles = (): number => {
  const limit = readFileSync('/proc/self/limits', 'utf8').match(/^Max open files\s+(\d+)/m)?.[1];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
};

const withoutRoom = (say: (line: string) => void): string[] => {
  const files = maxOpenFiles();
  const crowded = CASES.filter(({ sockets }) => sockets + SPARE_FILES > files).map(({ name }) => name);
  if (crowded.length > 0) say(`${crowded.join(', ')}: a process may have ${files} files open only (ulimit -n)`);
  return crowded;
};

interface Game {
  readonly runners: readonly Runner[];
  readonly failing: string[];
  readonly folder: string;
}

const playRounds = async ({ runners, failing, folder }: Game, { rounds, seconds, say }: SocketsOptions) => {
  const { keysFile, tokensFile } = await makeIdentities(folder);
  const ledgerFile = join(folder, 'ownership.db');
  await seedSessions(ledgerFile);
  const files = { keysFile, tokensFile, ledgerFile };
  for (let number = 0; number < rounds; number += 1) {
    for (const runner of rotated(runners, number)) {
      const { name, contender, sockets, realOneIn } = runner;
      if (failing.includes(name)) continue;
      const field = { folder: join(folder, `${number}-${name}`), ...files, contender, sockets, realOneIn };
      try {
        const sample = await takeSample(runner, field, { number, millis: seconds * 1000, say });
        runner.samples.push(sample);
        if (sample.waitedShare > DISTURBED)
          say(`${name}: for ${(sample.waitedShare * 100).toFixed(0)} % of the time it waited for its core`);
      } catch (error) {
        failing.push(name);
        say(`${name} FAILS: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    say(`round ${number + 1} of ${rounds}`);
  }
};

/** Runs the group; nothing that it started is left. */
export const benchSockets = async (options: SocketsOptions): Promise<SocketsResults> => {
  const folder = mkdtempSync(join(tmpdir(), 'jaaz-gateway-sockets-'));
  const failing = withoutRoom(options.say);
  const runners: Runner[] = CASES.map((each) => ({ ...each, samples: [], rate: undefined }));
  try {
    await playRounds({ runners, failing, folder }, options);
  } finally {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
  const finished = runners.filter(({ name }) => !failing.includes(name));
  const rows = finished.map(({ name, sockets, samples }) => rowOf(name, sockets, samples));
  const own = new Set(runners.filter(({ contender }) => contender === 'gateway').map(({ name }) => name));
  return { rows, failing: [...failing, ...rows.filter(({ name }) => own.has(name)).flatMap(faultsOf)] };
};
