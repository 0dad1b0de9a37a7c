/** `npm run bench [-- --json FILE] [--only GROUP] [--rounds N] [--seconds N]`: measures, prints a table, keeps figures. */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { benchHttp } from './http.ts';
import { benchIdentity } from './identity.ts';
import { benchListFilter } from './list-filter.ts';
import { stopAll } from './processes.ts';
import { benchSockets } from './sockets.ts';
import { httpTable, identityTable, listFilterTable, socketsTable } from './table.ts';

interface GroupOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

interface GroupResult {
  /** Goes into the JSON file as it is, the rows behind those of the groups before. */
  readonly figures: { readonly rows: readonly object[] };
  readonly lines: readonly string[];
  /** Contenders that were there and did not do their work. */
  readonly failing: readonly string[];
}

interface Group {
  readonly rounds: number;
  readonly seconds: number;
  readonly run: (options: GroupOptions) => Promise<GroupResult>;
}

/** A group is a question that is measured in one run, in so many rounds by itself. To add one is to add a row. */
const GROUPS: Readonly<Record<string, Group>> = {
  http: {
    rounds: 5,
    seconds: 4,
    run: async (options) => {
      const figures = await benchHttp(options);
      return { figures, lines: httpTable(figures, options.rounds, options.seconds), failing: figures.failing };
    },
  },
  identity: {
    rounds: 5,
    seconds: 4,
    run: async (options) => {
      const { rows, failing } = await benchIdentity(options);
      return { figures: { rows }, lines: identityTable({ rows, failing }, options.rounds), failing };
    },
  },
  'list-filter': {
    rounds: 5,
    seconds: 4,
    run: async (options) => {
      const { rows, failing } = await benchListFilter(options);
      return { figures: { rows }, lines: listFilterTable({ rows, failing }, options.rounds), failing };
    },
  },
  sockets: {
    rounds: 3,
    // A whole interval between two heartbeats of a socket: all of them fall into the time that is measured.
    seconds: 25,
    run: async (options) => {
      const { rows, failing } = await benchSockets(options);
      return { figures: { rows }, lines: socketsTable({ rows, failing }, options.rounds, options.seconds), failing };
    },
  },
};

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const positive = (text: string | undefined, flag: string): number | undefined => {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new TypeError(`${flag} takes a number above 0, not ${text}`);
  return value;
};

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
  },
});

const chosen = Object.entries(GROUPS).filter(([name]) => values.only === undefined || values.only === name);
if (chosen.length === 0) throw new TypeError(`--only takes one of: ${Object.keys(GROUPS).join(', ')}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void stopAll().then(() => process.exit(1));
  });

const rounds = positive(values.rounds, '--rounds');
const seconds = positive(values.seconds, '--seconds');
const loadAverage = loadavg()[0] ?? 0;
if (loadAverage > 0.5)
  say(`this machine is busy (load average ${loadAverage.toFixed(1)}): compare ratios, not figures`);
const rows: object[] = [];
const conditions: Record<string, { rounds: number; seconds: number }> = {};
let all: object = { startedAt: new Date().toISOString(), loadAverage, conditions };
for (const [name, group] of chosen) {
  const options = { rounds: rounds ?? group.rounds, seconds: seconds ?? group.seconds, say };
  conditions[name] = { rounds: options.rounds, seconds: options.seconds };
  const { figures, lines, failing } = await group.run(options);
  rows.push(...figures.rows);
  all = { ...all, ...figures, rows };
  for (const line of ['', ...lines]) say(line);
  if (failing.length > 0) {
    say(`FAILED: ${failing.join(', ')}`);
    process.exitCode = 1;
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(all, undefined, 2)}\n`);
