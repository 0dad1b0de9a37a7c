/** A report for people: short, aligned, what matters most first. What clients and users are called is written harmlessly. */
import type { Counts } from '../audit/counts.ts';
import type { Breakage, Readiness, RouteRow } from '../audit/readiness.ts';
import type { Report } from '../audit/report.ts';

/** So many rows of one kind are written, and within one route so many reasons and so many of those whom one meets. */
const TOP = 20;
const TOP_WITHIN = 3;
const MAX_CELL = 60;
const MAX_WIDTH = 110;

type Cell = string | number;
type Row = readonly Cell[];

/** Returns the lines. Nobody is expected to ask for routes that are `denied`, so these are only counted when unseen. */
export const reportLines = (report: Report, denied: ReadonlySet<string>): readonly string[] => {
  const { enough, users, clients } = report;
  const ready = `READY TO ENFORCE: judged in shadow ${enough.decisions} times or more, for ${enough.callers} callers or more, and nothing would break`;
  return [
    ...heading(report),
    ...section(ready, routeTable(report, 'ready')),
    ...breaking(report),
    ...section('TOO LITTLE SEEN to say; so far nothing would break', routeTable(report, 'few')),
    ...section('SEEN ONLY IN EFFECT', routeTable(report, 'enforced')),
    ...section('SEEN ONLY WITH mode: off, which judges nothing', routeTable(report, 'unjudged')),
    ...neverSeen(report, denied),
    ...section('WITHOUT A TOKEN, or with one that is not good', strangerTable(report)),
    ...section('LIVE EVENTS that sockets in shadow would not have heard', eventTable(report)),
    ...section('REASONS', reasonTable(report)),
    ...section(
      'USERS',
      countTable('user', users, ({ user }) => user),
    ),
    ...section(
      'CLIENTS, outside of mode: enforce',
      countTable('client', clients, ({ client }) => client),
    ),
  ];
};

const heading = ({ file, since, until, total, lines }: Report): readonly string[] => {
  const [from, to] = [since ?? total.first, until ?? total.last];
  const told = [
    `${shown(total.decisions)} decisions: ${shown(total.shadow)} in shadow, ${shown(total.enforced)} in effect, ${shown(total.off)} off`,
  ];
  if (total.shadow > 0) {
    told.push(
      `in shadow: ${shown(total.wouldRefuse)} would have been refused, ${shown(total.wouldThrottle)} throttled; ` +
        `${shown(total.wouldRemove)} of ${shown(total.rows)} rows removed, ` +
        `${shown(total.wouldClaim)} ids claimed, ${shown(total.wouldChange)} bodies changed`,
    );
  }
  if (total.enforced > 0) told.push(`in effect: ${shown(total.refused)} were refused, ${shown(total.failed)} failed`);
  if (lines.malformed > 0) told.push(`lines passed over because they are no records: ${shown(lines.malformed)}`);
  if (lines.torn) told.push('the last line is not whole and was passed over');
  const period = from === '' || to === '' ? '' : `, ${moment(from)} to ${moment(to)}`;
  return [`${harmless(file)}${period}`, ...told.map((line) => `  ${line}`)];
};

const routesOf = ({ routes }: Report, readiness: Readiness): readonly RouteRow[] =>
  routes
    .filter((row) => row.readiness === readiness)
    .sort((one, other) => other.counts.decisions - one.counts.decisions);

const routeTable = (report: Report, readiness: Readiness): readonly Row[] => {
  const rows = routesOf(report, readiness).map(({ route, callers, counts }): Row => {
    const { decisions, shadow, wouldRemove, wouldClaim, wouldChange } = counts;
    return [route, decisions, shadow, callers, wouldRemove, wouldClaim, wouldChange];
  });
  const head = ['route', 'decisions', 'in shadow', 'callers', 'rows removed', 'ids claimed', 'bodies changed'];
  return rows.length === 0 ? [] : [head, ...rows];
};

/** For each route why, how often, for whom, and when first and last. */
const breaking = (report: Report): readonly string[] => {
  const routes = routesOf(report, 'breaks');
  if (routes.length === 0) return [];
  const lines = routes
    .slice(0, TOP)
    .flatMap(({ route, counts, callers, breakages }) => [
      `  ${plain(route)}: ${shown(counts.shadow)} in shadow, callers: ${shown(callers)}`,
      ...top(breakages, TOP_WITHIN, '    ').flatMap((one) => (typeof one === 'string' ? [one] : breakageLines(one))),
    ]);
  return ['', 'WOULD BREAK', ...lines, ...more(routes.length, TOP, '  ')];
};

const breakageLines = ({ reason, count, who }: Breakage): readonly string[] => [
  `    ${plain(reason)} ×${shown(count)}`,
  ...table(
    who.slice(0, TOP_WITHIN).map((one): Row => [one.who, one.count, `${moment(one.first)} to ${moment(one.last)}`]),
  ).map((line) => `      ${line}`),
  ...more(who.length, TOP_WITHIN, '      '),
];

const neverSeen = ({ routes }: Report, denied: ReadonlySet<string>): readonly string[] => {
  const unseen = routes.filter(({ readiness }) => readiness === 'unseen').map(({ route }) => route);
  const expected = unseen.filter((route) => !denied.has(route));
  const rest = unseen.length - expected.length;
  const words = top(expected, 2 * TOP, '');
  if (rest > 0) words.push(`(denied to everybody anyway: ${shown(rest)})`);
  return words.length === 0 ? [] : ['', 'NEVER SEEN', ...wrapped(words)];
};

/** Words with commas between them, in lines of a bounded width. */
const wrapped = (words: readonly string[]): readonly string[] => {
  const lines = [''];
  for (const [index, word] of words.entries()) {
    const text = index < words.length - 1 ? `${plain(word)},` : plain(word);
    const line = lines.at(-1) ?? '';
    if (line.length + text.length < MAX_WIDTH) lines[lines.length - 1] = `${line} ${text}`;
    else lines.push(` ${text}`);
  }
  return lines.map((line) => ` ${line}`);
};

const strangerTable = ({ withoutToken }: Report): readonly Row[] =>
  headed(
    ['address', 'client', 'reason', 'decisions', 'first', 'last'],
    withoutToken.map(({ address, client, reason, count, first, last }) => [
      ...[address, client, reason, count, moment(first), moment(last)],
    ]),
  );

const eventTable = ({ events }: Report): readonly Row[] =>
  headed(
    ['event', 'why', 'withheld', 'of', 'last'],
    events.map(({ event, because, withheld, of, last }) => [event, because ?? 'another’s', withheld, of, moment(last)]),
  );

const reasonTable = ({ reasons }: Report): readonly Row[] =>
  headed(
    ['reason', 'would refuse', 'in effect', 'first', 'last'],
    reasons.map(({ reason, would, inEffect, first, last }) => [reason, would, inEffect, moment(first), moment(last)]),
  );

const countTable = <T extends Counts>(name: string, rows: readonly T[], nameOf: (row: T) => string): readonly Row[] =>
  headed(
    [name, 'decisions', 'in shadow', 'would refuse', 'throttle', 'rows removed', 'refused', 'last'],
    rows.map((row): Row => {
      const { decisions, shadow, wouldRefuse, wouldThrottle, wouldRemove, refused, last } = row;
      return [nameOf(row), decisions, shadow, wouldRefuse, wouldThrottle, wouldRemove, refused, moment(last)];
    }),
  );

const headed = (head: Row, rows: readonly Row[]): readonly Row[] => (rows.length === 0 ? [] : [head, ...rows]);

/** A table below its head, the first row of which says what the columns are; nothing for none. */
const section = (head: string, rows: readonly Row[]): readonly string[] => {
  if (rows.length === 0) return [];
  const lines = table(rows.slice(0, TOP + 1)).map((line) => `  ${line}`);
  return ['', head, ...lines, ...more(rows.length - 1, TOP, '  ')];
};

const more = (length: number, most: number, indent: string): readonly string[] =>
  length > most ? [`${indent}and ${shown(length - most)} more`] : [];

const top = <T>(list: readonly T[], most: number, indent: string): (T | string)[] => [
  ...list.slice(0, most),
  ...more(list.length, most, indent),
];

/** Texts to the left, numbers to the right. */
const table = (rows: readonly Row[]): readonly string[] => {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? shown(cell) : plain(cell))));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const isNumber = (column: number): boolean => typeof rows.at(-1)?.[column] === 'number';
  return cells.map((row) =>
    row
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
};

const shown = (number: number): string => number.toLocaleString('en-US');

/** The minute of a time that is written in a record. */
const moment = (time: string): string => time.slice(0, 'YYYY-MM-DDTHH:MM'.length).replace('T', ' ');

/** What a client calls itself could steer a terminal, or look like other lines of the report. */
const harmless = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}');

/** The ends of a name tell most, as the version of a browser stands last. */
const plain = (text: string): string => {
  const name = harmless(text);
  if (name.length <= MAX_CELL) return name;
  return `${name.slice(0, MAX_CELL / 2)}…${name.slice(1 - MAX_CELL / 2)}`;
};
