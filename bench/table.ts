/** The results as a table to read. */
import type { HttpResults, Row } from './http.ts';
import type { IdentityResults } from './identity.ts';
import type { ListFilterResults, ListRow } from './list-filter.ts';
import { canPin } from './processes.ts';
import type { SocketRow } from './socket-rows.ts';
import type { SocketsResults } from './sockets.ts';

const REFERENCE = 'haproxy-rs256';

const COLUMNS = ['', 'CPU us/request', 'ratio', 'requests/s', 'p99 ms', 'what it does', 'version'] as const;

const cellsOf = (row: Row, reference: Pick<Row, 'cpuMicrosPerRequest'> | undefined): readonly string[] => [
  row.name,
  row.cpuMicrosPerRequest.toFixed(1),
  reference === undefined ? '-' : (row.cpuMicrosPerRequest / reference.cpuMicrosPerRequest).toFixed(2),
  row.requestsPerSecond.toFixed(0),
  row.p99Millis.toFixed(2),
  row.what,
  row.version,
];

/** Columns that hold numbers are aligned to the right. */
const aligned = (lines: ReadonlyArray<readonly string[]>, isNumber: (column: number) => boolean): string[] => {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
};

/** Returns the lines of the table, the conditions above it, and below it what is no row. */
export const httpTable = (results: HttpResults, rounds: number, seconds: number): string[] => {
  const reference = results.rows.find(({ name }) => name === REFERENCE);
  const rows = [...results.rows, ...results.orientation].map((row) => cellsOf(row, reference));
  const cores = canPin
    ? 'contender on core 0, load and upstream (and Redis) on core 1'
    : 'processes not pinned: taskset is not installed';
  const lines = [
    `http: GET of 650 bytes, 64 kept-alive connections, 1,000 users, 10,000 canvases; medians of ${rounds} rounds of ${seconds} s; ${cores}`,
    `ratio: CPU to ${REFERENCE}; CPU: user and kernel time of the contender's processes`,
    '',
    ...aligned([COLUMNS, ...rows], (column) => column > 0 && column < 5),
    '',
  ];
  if (results.idleMegabytes !== undefined && results.readyMillis !== undefined)
    lines.push(
      `gateway-memory: ${results.idleMegabytes.toFixed(0)} MB resident 2 s after its start, ready after ${results.readyMillis.toFixed(0)} ms`,
    );
  return lines;
};

const IDENTITY_COLUMNS = ['', 'CPU us/request', 'ratio', 'requests/s', 'p99 ms', 'who is known by'] as const;

/** Returns the lines of the table of ways to be known. */
export const identityTable = ({ rows }: IdentityResults, rounds: number): string[] => {
  const reference = rows.find(({ name }) => name === 'bearer');
  const cells = rows.map((row) => [...cellsOf({ ...row, version: '' }, reference).slice(0, 5), row.what]);
  return [
    `identity: GET of 650 bytes, 64 kept-alive connections, 1,000 users, 10,000 canvases; medians of ${rounds} rounds`,
    'ratio: CPU to bearer',
    '',
    ...aligned([IDENTITY_COLUMNS, ...cells], (column) => column > 0 && column < 5),
  ];
};

const WHOLE = 'parse-filter-stringify';

const LIST_COLUMNS = [
  '',
  'MB/s',
  'ratio',
  'lowest-highest',
  'held MB',
  'resident MB',
  'first byte ms',
  'last in ms',
  'look-ups',
  'list',
] as const;

const listCells = (row: ListRow, rows: readonly ListRow[]): readonly string[] => {
  const whole = rows.find(({ name, what }) => name.startsWith(WHOLE) && what === row.what);
  return [
    row.name,
    row.megabytesPerSecond.toFixed(0),
    whole === undefined ? '-' : (row.megabytesPerSecond / whole.megabytesPerSecond).toFixed(1),
    row.spread.map((speed) => speed.toFixed(0)).join('-'),
    row.peakGrowthMegabytes.toFixed(1),
    row.residentGrowthMegabytes.toFixed(0),
    row.firstByteMillis.toFixed(1),
    row.lastByteInMillis.toFixed(1),
    row.lookUps.toFixed(0),
    row.what,
  ];
};

/** Returns the lines of the lists' table, and above it how it was measured. */
export const listFilterTable = ({ rows }: ListFilterResults, rounds: number): string[] => [
  `list-filter: one process for each sample${canPin ? ' on core 0' : ''}; medians of ${rounds} rounds of 5 passes; owners are near, in the look-up of the gateway`,
  `MB/s: of the list, to a second of CPU; ratio: to ${WHOLE}; over views of 64 KiB of a list in memory: no reading is timed`,
  'held: memory that is still in use (heap and external, after a forced collection) at its peak above the idle process,',
  '  in a pass of its own that reads the file in new chunks of 64 KiB; resident: the same without collections, garbage of reading included',
  'first byte, last in: when the first byte of the answer left, and when the last of the list came in',
  '',
  ...aligned([LIST_COLUMNS, ...rows.map((row) => listCells(row, rows))], (column) => column > 0 && column < 9),
  '',
];

const SOCKET_COLUMNS = [
  '',
  'events/s',
  'p50 ms',
  'p99 ms',
  'CPU us/event',
  'of few',
  'us/delivery',
  'resting us/s',
  'waited %',
  'kB/socket',
  'held',
  'held after',
  'connects/s',
  'us/connect',
  'deliveries',
  'foreign',
  'lost',
  'doubled',
  'overtaken',
] as const;

const socketCells = (row: SocketRow): readonly string[] => [
  row.name,
  row.eventsPerSecond.toFixed(0),
  row.p50Millis.toFixed(1),
  row.p99Millis.toFixed(1),
  row.cpuMicrosPerEvent.toFixed(0),
  row.cpuMicrosPerEventOfFew?.toFixed(0) ?? '-',
  row.cpuMicrosPerDelivery.toFixed(1),
  row.restingMicrosPerSecond?.toFixed(0) ?? '-',
  (row.waitedShare * 100).toFixed(1),
  row.kilobytesPerSocket.toFixed(1),
  row.heldKilobytesPerSocket.toFixed(1),
  row.heldKilobytesPerSocketAfter.toFixed(1),
  row.connectsPerSecond.toFixed(0),
  row.cpuMicrosPerConnect.toFixed(0),
  String(row.deliveries),
  String(row.foreignDeliveries),
  String(row.lost),
  String(row.doubled),
  String(row.overtaken),
];

const OWN_ROW = /^sockets-/;

/** What an event costs the gateway with more sockets, to what it costs with the fewest. */
const growthOf = (rows: readonly SocketRow[]): string[] => {
  const [fewest, ...others] = rows.filter(({ name }) => OWN_ROW.test(name));
  if (fewest === undefined || others.length === 0) return [];
  const growth = (of: (row: SocketRow) => number | undefined): string =>
    others.map((row) => `${row.sockets}: ${((of(row) ?? 0) / (of(fewest) ?? 0)).toFixed(2)}`).join(', ');
  return [
    `CPU of an event to that with ${fewest.sockets} sockets, when users are more: ${growth((row) => row.cpuMicrosPerEvent)}`,
    `  when only others are more: ${growth((row) => row.cpuMicrosPerEventOfFew)}; without what resting costs: ${growth(
      ({ cpuMicrosPerEventOfFew = 0, restingMicrosPerSecond = 0, eventsPerSecond }) =>
        cpuMicrosPerEventOfFew - restingMicrosPerSecond / eventsPerSecond,
    )}`,
  ];
};

/** Returns the lines of the sockets' table, above it how it was measured, and below it how the costs grow. */
export const socketsTable = ({ rows }: SocketsResults, rounds: number, seconds: number): string[] => [
  `sockets: ten to a user, events of 1 kB for users at random; medians of ${rounds} rounds of ${seconds} s, counts of all rounds`,
  canPin ? 'contender on core 0, clients and upstream on core 1' : 'processes not pinned: taskset is not installed',
  'sockets-N: the gateway, each event to its owner, all clients socket.io-client',
  'broadcast-N: the stand-in for the server, each event to all, at the rate that it sustains; one client in fifty is',
  '  socket.io-client, the others are leaner, so that it is not the clients that limit it',
  'CPU: user and kernel time of the contender; of few: when all events are of the same 50 users; resting: in a second in',
  '  which nothing is sent; waited: the share of the time in which its main thread was ready and its core did something else',
  'kB/socket: resident, two seconds after they were opened, above what was resident after a collection before; held:',
  '  heap and external, after a collection before and another one then; held after: with the events behind it',
  '',
  ...aligned([SOCKET_COLUMNS, ...rows.map(socketCells)], (column) => column > 0),
  '',
  ...growthOf(rows),
];
