/**
 * `check`: says whether a gateway could run with these files, what in them is likely a mistake, and how they differ from
 * the upstream's own route list. Validates everything, starts nothing.
 */
import type { Variables } from '../config/environment.ts';
import { lint } from '../policy/lint.ts';
import { formatWarning, type Subject, type Warning } from '../policy/lint-warning.ts';
import { readSources } from '../policy/load.ts';
import { compareRoutes, type Difference, formatDifference } from '../policy/openapi.ts';
import { readRouteList } from './route-list.ts';
import { type Output, readSettings, type Settings, shortest, writeFaults } from './settings.ts';

export interface CheckOptions {
  readonly file: string;
  readonly json: boolean;
  /** Warnings and differences are failures, too. */
  readonly strict?: boolean;
  /** Where the upstream's route list is: an URL or a file. */
  readonly openapi?: string;
  readonly variables: Variables;
}

/**
 * Resolves with the exit code: 0 when the files are valid; 1 when the route list cannot be had; 3 when the files are not
 * valid, or, with `strict`, when there is anything to tell.
 */
export async function check(options: CheckOptions, output: Output): Promise<number> {
  const settings = readSettings(options);
  if ('faults' in settings) {
    writeFaults(settings.faults, options, output);
    return 3;
  }
  const read = readSources(settings.config.policies);
  if ('faults' in read) {
    writeFaults(read.faults, options, output);
    return 3;
  }
  const issuers = settings.config.issuers.map(({ name }) => name);
  const subject: Subject = { sources: read.sources, policy: settings.policy, issuers };
  const warnings = lint(subject);
  const compared = options.openapi === undefined ? undefined : await compare(options.openapi, subject);
  if (compared !== undefined && 'problem' in compared) {
    fail(`${options.openapi}: the route list cannot be used: ${compared.problem}`, options, output);
    return 1;
  }
  const found: Found = { warnings, differences: compared?.differences };
  if (options.json) output.out(JSON.stringify({ ...summary(settings), ...found }));
  else write(settings, found, { ...options, output });
  return options.strict === true && warnings.length + (found.differences?.length ?? 0) > 0 ? 3 : 0;
}

interface Found {
  readonly warnings: readonly Warning[];
  /** Undefined where nothing was compared. */
  readonly differences: readonly Difference[] | undefined;
}

const compare = async (place: string, subject: Subject): Promise<ReturnType<typeof compareRoutes>> => {
  try {
    return compareRoutes(await readRouteList(place), subject);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
};

const fail = (problem: string, { json }: CheckOptions, output: Output): void =>
  json ? output.out(JSON.stringify({ valid: true, problem })) : output.err(problem);

const summary = (settings: Settings) => ({ valid: true, file: settings.config.file, ...counts(settings) });

const counts = ({ config, policy }: Settings): Readonly<Record<string, number>> => ({
  issuers: config.issuers.length,
  routes: policy.routes.length,
  resources: policy.resources.size,
  sockets: policy.sockets.length + policy.webSockets.length,
});

const counted = (count: number, noun: string): string => `${count} ${count === 1 ? noun.slice(0, -1) : noun}`;

const write = (
  settings: Settings,
  { warnings, differences }: Found,
  { file, output }: CheckOptions & { readonly output: Output },
): void => {
  for (const warning of warnings) output.err(formatWarning({ ...warning, file: shortest(warning.file) }));
  for (const one of differences ?? []) {
    const place = one.place && { ...one.place, file: shortest(one.place.file) };
    output.err(formatDifference(place === undefined ? one : { ...one, place }));
  }
  const words = Object.entries(counts(settings)).map(([noun, count]) => counted(count, noun));
  const told = [
    ...(warnings.length > 0 ? [counted(warnings.length, 'warnings')] : []),
    ...(differences === undefined ? [] : [`${counted(differences.length, 'differences')} from the upstream’s routes`]),
  ];
  output.out(
    `${file}: ${told.length === 0 ? 'fine' : 'valid'} (${words.join(', ')})${told.map((one) => `, ${one}`).join('')}`,
  );
};
