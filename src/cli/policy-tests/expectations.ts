/** What a test expects, held against what became of it: only what is written is compared. */
import type { TestFile, WrittenEvent, WrittenRequest } from '../../policy/test-document.ts';
import { lineDiff } from './line-diff.ts';
import type { EventOutcome, RequestOutcome } from './outcome.ts';
import { ownerOf } from './scene.ts';

/** Returns why a request is not as it was expected, in lines; nothing when it is. */
export const requestFailures = (expected: WrittenRequest['expect'], found: RequestOutcome): readonly string[] => {
  const { forwarded, shown, ...words } = expected;
  const failures = Object.entries(words).flatMap(([word, value]) =>
    differs(word, value, found[word as keyof typeof words]),
  );
  if (forwarded === null) failures.push(...differs('forwarded', null, found.forwarded));
  else if (forwarded !== undefined) {
    if (found.forwarded === null) failures.push(`forwarded: expected, but nothing was: ${found.decision}`);
    else failures.push(...messageFailures('forwarded', { ...forwarded, json: forwarded.body }, found.forwarded));
  }
  if (shown !== undefined) failures.push(...messageFailures('shown', shown, found.shown));
  return failures;
};

/** Returns why an event is not as it was expected, in lines; nothing when it is. */
export const eventFailures = (
  expected: WrittenEvent['expect'],
  found: EventOutcome,
  file: TestFile,
): readonly string[] => {
  const { heard, ...words } = expected;
  const failures = Object.entries(words).flatMap(([word, value]) =>
    differs(word, value, found[word as keyof typeof words]),
  );
  if (heard === undefined) return failures;
  return [
    ...differs(
      'heard',
      heard.map((name) => ownerOf(file, name)),
      found.heard,
    ),
    ...failures,
  ];
};

interface Message {
  readonly headers?: Readonly<Record<string, string | null>> | undefined;
  readonly [word: string]: unknown;
}

const messageFailures = (where: string, { headers = {}, body: _, ...words }: Message, found: Message): string[] => [
  ...Object.entries(words).flatMap(([word, value]) => differs(`${where}.${word}`, value, found[word])),
  ...Object.entries(headers).flatMap(([name, value]) =>
    differs(`${where}.headers.${name}`, value, found.headers?.[name] ?? null),
  ),
];

const differs = (where: string, expected: unknown, found: unknown): string[] => {
  if (expected === undefined) return [];
  const lines = lineDiff(plain(expected), plain(found));
  if (lines.length === 0) return [];
  const [one, other, ...more] = lines;
  const short = more.length === 0 && one?.startsWith('- ') && other?.startsWith('+ ');
  if (short) return [`${where}: expected ${one?.slice(2)}, found ${other?.slice(2)}`];
  return [`${where}: - expected, + found`, ...lines.map((line) => `  ${line}`)];
};

/** Returns a value as JSON in which the order of keys says nothing. */
export const plain = (value: unknown): string => JSON.stringify(sorted(value) ?? null, undefined, 2);

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
};
