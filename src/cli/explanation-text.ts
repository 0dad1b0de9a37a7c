/** An explanation for people: one line for each stage, what there is to say below it, and the end of it all. */
import type { Finding } from '../model/finding.ts';
import type { Explanation, NamedResource, RouteWords, StageVerdict } from './explanation.ts';
import { findingWords } from './finding-words.ts';
import { shortest } from './settings.ts';

const NAME_WIDTH = 14;
const VERDICT_WIDTH = 9;
const VERDICTS: Readonly<Record<StageVerdict['verdict'], string>> = {
  passed: 'passed',
  refused: 'REFUSED',
  'not-reached': '-',
};

/** Long bodies are cut: this is to be read, not to be sent. */
const MAX_BODY = 2_000;

/** Returns the lines. */
export const explanationText = (told: Explanation): readonly string[] => {
  const { method, target, as } = told.request;
  const stages = told.stages.flatMap((one) => stageLines(told, one));
  return [`${method} ${target} as ${as ?? 'nobody'}`, '', ...stages, '', ...endLines(told)];
};

const stageLines = (told: Explanation, { stage, verdict }: StageVerdict): string[] => {
  const reached = verdict !== 'not-reached' || stage === 'forward' || (stage === 'filter' && told.forwarded !== null);
  const notes = reached ? NOTES[stage](told) : [];
  const refusal = verdict === 'refused' ? [`${told.reason}: ${told.detail}`] : [];
  const [first = '', ...more] = [...refusal, ...notes];
  const indent = ' '.repeat(2 + NAME_WIDTH + VERDICT_WIDTH);
  const shown = stage === 'forward' && told.forwarded !== null ? 'would be' : VERDICTS[verdict];
  const line = `  ${stage.padEnd(NAME_WIDTH)}${shown.padEnd(VERDICT_WIDTH)}${first}`;
  return [line.trimEnd(), ...more.map((note) => indent + note)];
};

const NOTES: Readonly<Record<StageVerdict['stage'], (told: Explanation) => readonly string[]>> = {
  canonical: () => [],
  match: ({ route, nearest }) =>
    route === null ? nearest.map((near) => `the nearest: ${routeLine(near)}`) : [routeLine(route)],
  authenticate: ({ caller, route }) => [
    ...(caller === null
      ? []
      : [`${caller.owner}, ${caller.roles.length === 0 ? 'without a role' : caller.roles.join(', ')}`]),
    ...(route === null || route.roles.length === 0 ? [] : [`the route needs a role: ${route.roles.join(' or ')}`]),
  ],
  limit: ({ limits }) =>
    limits.map(({ name, points, perMillis, by }) => `${name}: ${points} in ${span(perMillis)} by ${by}`),
  read: () => [],
  authorize: ({ resources, confirms, claims, releases }) => [
    ...resources.map(resourceLine),
    ...(confirms === null ? [] : [callLine(confirms)]),
    ...claims.map((key) => `${key} becomes the caller’s`),
    ...releases.map((key) => `${key} is deleted by a success, and what belongs to it`),
  ],
  rewrite: () => [],
  forward({ forwarded }) {
    if (forwarded === null) return [];
    const { method, target, headers, body } = forwarded;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    return [`${method} ${target}`, ...lines, ...(body === null ? [] : [cut(body)])];
  },
  filter: ({ answer }) => answer,
};

const routeLine = ({ id, match, file, line }: RouteWords): string => `${id}: ${match} (${shortest(file)}:${line})`;

const resourceLine = ({ verb, kind, id, at, whose, owner }: NamedResource): string => {
  const holder = whose === 'another’s' ? ` (${owner})` : '';
  return `${verb} ${kind} ${id ?? '?'}, in ${at}: ${whose}${holder}`;
};

const callLine = ({ call, at, waits }: NonNullable<Explanation['confirms']>): string =>
  `answer call ${call ?? '?'}, in ${at}: ${waits ? 'it waits' : 'nothing waits for it'}`;

const endLines = (told: Explanation): string[] => {
  const { verdict, reason, shown, mode, findings, unasked, confirms } = told;
  const lines = [verdict === 'allowed' ? 'Allowed.' : `Refused: ${reason}.`];
  if (mode !== 'enforce') lines.push(`The policy is not in effect here: mode ${mode}.`);
  lines.push(...findings.map((finding) => `It would ${findingWords(finding)}${detailOf(finding)}.`));
  lines.push(...unasked.map((look) => `The server was not asked for ${look}: what it names counts as absent.`));
  if (confirms !== null && !confirms.waits) {
    lines.push('Which calls wait is known from live events alone: here those that --pending names.');
  }
  if (shown !== null) lines.push(`The caller is shown ${shown.status} ${cut(shown.body)}`.trimEnd());
  return lines;
};

const detailOf = (finding: Finding): string => (finding.would === 'deny' ? `: ${finding.detail}` : '');

const cut = (text: string): string => (text.length > MAX_BODY ? `${text.slice(0, MAX_BODY)}…` : text);

const SPANS: ReadonlyArray<readonly [millis: number, unit: string]> = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1_000, 's'],
];

const span = (millis: number): string => {
  const [size, unit] = SPANS.find(([whole]) => millis % whole === 0) ?? [1, 'ms'];
  return `${millis / size}${unit}`;
};
