/**
 * The line that a decision leaves: its field names are the record's, absent fields are left out, times are rounded to
 * the microsecond. Written by hand, because one is written for each request; a test reads every line back.
 */
import type { AuditRecord } from '../model/audit.ts';
import type { Finding } from '../model/finding.ts';
import { STAGES, type Stage } from '../model/reason.ts';
import type { ResourceRef } from '../model/resource.ts';

/**
 * Returns one line of JSON, without its line end. It is put together of as few pieces as can be: each is an object until
 * the line is written.
 */
export const auditLine = (record: AuditRecord): string => {
  const { detail, method, path, route, owner, reason, status, upstreamStatus } = record;
  // What is quoted plainly holds no character that JSON escapes: a time, a UUID, words of our own tables.
  let line = `{"time":"${record.time}","kind":"${record.kind}","requestId":"${record.requestId}","outcome":"${record.outcome}"`;
  if (reason !== undefined) line += `,"reason":"${reason}"`;
  if (detail !== undefined) line += `,"detail":${visible(JSON.stringify(detail))}`;
  if (method !== undefined) line += `,"method":"${inQuotes(method)}"`;
  if (path !== undefined) line += `,"path":"${inQuotes(path)}"`;
  if (route !== undefined) line += `,"route":"${route}"`;
  if (owner !== undefined) line += `,"owner":"${inQuotes(owner)}"`;
  line += `,"address":"${inQuotes(record.address)}"`;
  if (status !== undefined) line += `,"status":${status}`;
  if (upstreamStatus !== undefined) line += `,"upstreamStatus":${upstreamStatus}`;
  line += refs('resources', record.resources) + refs('claims', record.claims);
  if (record.mode !== undefined) line += shadow(record);
  line += ',"stages":{';
  let names = FIRST_NAMES;
  for (const stage of STAGES) {
    const spent = record.stages[stage];
    if (spent === undefined) continue;
    line += names[stage] + millis(spent);
    names = NEXT_NAMES;
  }
  return `${line}},"millis":${millis(record.millis)}}`;
};

/** The names of the stages as they stand before their times, and with a comma where another went before. */
const namesAfter = (comma: string) =>
  Object.fromEntries(STAGES.map((stage) => [stage, `${comma}"${stage}":`])) as Readonly<Record<Stage, string>>;
const FIRST_NAMES = namesAfter('');
const NEXT_NAMES = namesAfter(',');

/** Rare enough to be left to JSON. */
const shadow = ({ mode, findings = [], client }: AuditRecord): string =>
  `,${visible(JSON.stringify({ mode, findings: findings.map(told), client })).slice(1, -1)}`;

const told = (finding: Finding): object =>
  finding.would === 'claim'
    ? { ...finding, resources: finding.resources.map(({ kind, id }) => `${kind}:${id}`) }
    : finding;

/** Visible ASCII without the quote and the backslash, as nearly every text here is, stands in JSON as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Returns what stands for a text between quotes. */
const inQuotes = (text: string): string => (PLAIN.test(text) ? text : visible(JSON.stringify(text)).slice(1, -1));

/** JSON lets pass what would steer the terminal of whoever reads the file, and what hides or turns text around. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Returns the JSON with such characters escaped, which says the same. */
const visible = (json: string): string => json.replace(UNSEEN, escaped);

const escaped = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

const refs = (name: string, list: readonly ResourceRef[]): string => {
  if (list.length === 0) return '';
  let text = `,"${name}":[`;
  let before = '"';
  for (const { kind, id } of list) {
    text += `${before}${kind}:${inQuotes(id)}"`;
    before = ',"';
  }
  return `${text}]`;
};

/** What stands behind the whole milliseconds, for each number of microseconds: fractions are slow to write. */
const FRACTIONS: readonly string[] = Array.from({ length: 1000 }, (_, micros) =>
  micros === 0 ? '' : `.${String(micros).padStart(3, '0')}`,
);
/** Nearly every stage is over within the first. */
const WITHIN_THE_FIRST: readonly string[] = FRACTIONS.map((fraction) => `0${fraction}`);

const millis = (value: number): string => {
  const micros = Math.round(value * 1000);
  const fraction = micros % 1000;
  return WITHIN_THE_FIRST[micros] ?? `${(micros - fraction) / 1000}${FRACTIONS[fraction]}`;
};
