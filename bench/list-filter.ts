/**
 * The group `list-filter`: the lists that hold everybody's canvases, filtered as they stream, beside parsing, filtering
 * and writing them whole. Every sample is a process of its own.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContenderFigures } from './list-contender.ts';
import { type ListName, writeList } from './lists.ts';
import { start, stopAll } from './processes.ts';
import { median, rotated } from './rounds.ts';

export interface ListFilterOptions {
  readonly rounds: number;
  readonly say: (line: string) => void;
}

export interface ListRow {
  readonly name: string;
  readonly what: string;
  readonly megabytesPerSecond: number;
  /** The lowest and the highest of the rounds. */
  readonly spread: readonly [number, number];
  readonly peakGrowthMegabytes: number;
  readonly residentGrowthMegabytes: number;
  readonly firstByteMillis: number;
  readonly lastByteInMillis: number;
  readonly lookUps: number;
  readonly shownBytes: number;
}

export interface ListFilterResults {
  readonly rows: readonly ListRow[];
  readonly failing: readonly string[];
}

const CONTENDERS = ['list-filter', 'parse-filter-stringify'] as const;

interface Case {
  readonly suffix: string;
  readonly what: string;
  readonly list: ListName;
  /** Of ten rows. */
  readonly owned: number;
}

const CASES: readonly Case[] = [
  { suffix: '', what: '1,000 rows of 50 kB, 10 % owned', list: 'large', owned: 1 },
  { suffix: '-none', what: '1,000 rows of 50 kB, none owned', list: 'large', owned: 0 },
  { suffix: '-all', what: '1,000 rows of 50 kB, all owned', list: 'large', owned: 10 },
  { suffix: '-short', what: '100,000 rows of 150 bytes, 10 % owned', list: 'short', owned: 1 },
];

interface Runner {
  readonly name: string;
  readonly what: string;
  /** The arguments of its process. */
  readonly words: readonly string[];
  readonly samples: ContenderFigures[];
}

/** Runs one contender once, or throws what it complained of. */
const sample = async ({ name, words }: Runner): Promise<ContenderFigures> => {
  const script = join(import.meta.dirname, 'list-contender.ts');
  const { child, complaint } = start(0, [process.execPath, '--expose-gc', script, ...words]);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`${name}: ${complaint()}`);
  return JSON.parse(text);
};

const rowOf = ({ name, what, samples }: Runner): ListRow => {
  const of = (figure: (sample: ContenderFigures) => number): number => median(samples.map(figure));
  const speeds = samples.map(({ megabytesPerSecond }) => megabytesPerSecond);
  return {
    name,
    what,
    megabytesPerSecond: median(speeds),
    spread: [Math.min(...speeds), Math.max(...speeds)],
    peakGrowthMegabytes: of((sample) => sample.peakGrowthMegabytes),
    residentGrowthMegabytes: of((sample) => sample.residentGrowthMegabytes),
    firstByteMillis: of((sample) => sample.firstByteMillis),
    lastByteInMillis: of((sample) => sample.lastByteInMillis),
    lookUps: of((sample) => sample.lookUps),
    shownBytes: of((sample) => sample.shownBytes),
  };
};

const runnersIn = (folder: string): Runner[] =>
  CASES.flatMap(({ suffix, what, list, owned }) =>
    CONTENDERS.map((contender) => ({
      name: `${contender}${suffix}`,
      what,
      words: [contender, list, join(folder, list), String(owned)],
      samples: [],
    })),
  );

/** Returns the faults: contenders for the same list that did not show the same bytes. */
const disagreements = (runners: readonly Runner[]): string[] =>
  CASES.flatMap(({ suffix }) => {
    const pair = runners.filter(({ name }) => CONTENDERS.some((contender) => name === `${contender}${suffix}`));
    const digests = new Set(pair.flatMap(({ samples }) => samples.map(({ digest }) => digest)));
    return digests.size === 1 ? [] : [`${pair.map(({ name }) => name).join(' and ')} do not show the same`];
  });

/** More than this and an answer must have begun before the list has ended. */
const SURELY_MANY_BYTES = 1_000_000;

const lateOnes = (runners: readonly Runner[]): string[] =>
  runners
    .filter(({ words: [contender] }) => contender === 'list-filter')
    .filter(({ samples }) =>
      samples.some((each) => each.shownBytes > SURELY_MANY_BYTES && each.firstByteMillis >= each.lastByteInMillis),
    )
    .map(({ name }) => `${name} does not begin before the list has ended`);

/** Runs the group; nothing that it started is left. */
export const benchListFilter = async ({ rounds, say }: ListFilterOptions): Promise<ListFilterResults> => {
  const folder = mkdtempSync(join(tmpdir(), 'jaaz-gateway-lists-'));
  try {
    for (const list of new Set(CASES.map((each) => each.list))) writeList(join(folder, list), list);
    const runners = runnersIn(folder);
    const failing: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const runner of rotated(runners, round)) {
        if (failing.includes(runner.name)) continue;
        try {
          runner.samples.push(await sample(runner));
        } catch (error) {
          failing.push(runner.name);
          say(`${runner.name} FAILS: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      say(`round ${round + 1} of ${rounds}`);
    }
    const finished = runners.filter(({ name }) => !failing.includes(name));
    return { rows: finished.map(rowOf), failing: [...failing, ...disagreements(finished), ...lateOnes(finished)] };
  } finally {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
};
