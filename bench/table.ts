/** The results as a table to read. */
import type { HttpResults, Row } from './http.ts';
import { canPin } from './processes.ts';

const REFERENCE = 'haproxy-rs256';

const COLUMNS = ['', 'CPU us/request', 'ratio', 'requests/s', 'p99 ms', 'what it does', 'version'] as const;

const cellsOf = (row: Row, reference: Row | undefined): readonly string[] => [
  row.name,
  row.cpuMicrosPerRequest.toFixed(1),
  reference === undefined ? '-' : (row.cpuMicrosPerRequest / reference.cpuMicrosPerRequest).toFixed(2),
  row.requestsPerSecond.toFixed(0),
  row.p99Millis.toFixed(2),
  row.what,
  row.version,
];

const aligned = (lines: ReadonlyArray<readonly string[]>): string[] => {
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const isNumber = (column: number): boolean => column > 0 && column < 5;
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
    ...aligned([COLUMNS, ...rows]),
    '',
  ];
  if (results.idleMegabytes !== undefined && results.readyMillis !== undefined)
    lines.push(
      `gateway-memory: ${results.idleMegabytes.toFixed(0)} MB resident 2 s after its start, ready after ${results.readyMillis.toFixed(0)} ms`,
    );
  return lines;
};
