/** `report`: what a period of the audit file says, above all what enforcing a policy would change, and for whom. */
import { readLines } from '../audit/lines.ts';
import { ENOUGH } from '../audit/readiness.ts';
import type { Report } from '../audit/report.ts';
import { summing } from '../audit/summary.ts';
import type { Variables } from '../config/environment.ts';
import type { Policy } from '../model/policy.ts';
import { reportLines } from './report-text.ts';
import { type Output, readSettings, writeFaults } from './settings.ts';

export interface ReportOptions {
  readonly file: string;
  /** Unix time in milliseconds; the report is of what was decided from then on. */
  readonly since?: number;
  /** The report is of what was decided before. */
  readonly until?: number;
  readonly json: boolean;
  readonly variables: Variables;
}

/**
 * Resolves with the exit code: 0 when the report was written, 1 when the audit file cannot be read, 2 for a period that
 * ends before it begins, 3 when the configuration is not valid.
 */
export async function report(options: ReportOptions, output: Output): Promise<number> {
  const { since, until } = options;
  if (since !== undefined && until !== undefined && until <= since) {
    output.err('The period ends before it begins: --until must be later than --since.');
    return 2;
  }
  const settings = readSettings(options);
  if ('faults' in settings) {
    writeFaults(settings.faults, options, output);
    return 3;
  }
  const { config, policy } = settings;
  if (config.audit === undefined) {
    output.err(`${options.file} says "audit: off": nothing is recorded, so there is nothing to report.`);
    return 1;
  }
  const { file } = config.audit;
  const period = { since: momentText(since), until: momentText(until) };
  const sums = summing({ routes: policy.routes.map(({ id }) => id), ...given(period) });
  try {
    await readLines(file, sums);
  } catch (error) {
    output.err(readFailure(file, error));
    return 1;
  }
  const found: Report = { version: 1, file, ...period, enough: ENOUGH, ...sums.summary() };
  if (options.json) output.out(JSON.stringify(found));
  else for (const line of reportLines(found, deniedBy(policy))) output.out(line);
  return 0;
}

const momentText = (millis: number | undefined): string | null =>
  millis === undefined ? null : new Date(millis).toISOString();

const given = ({ since, until }: Pick<Report, 'since' | 'until'>) => ({
  ...(since !== null && { since }),
  ...(until !== null && { until }),
});

const deniedBy = ({ routes }: Policy): ReadonlySet<string> =>
  new Set(routes.filter(({ access }) => access === 'denied').map(({ id }) => id));

function readFailure(file: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `There is no audit file ${file}. The gateway makes it when it runs.`;
  if (code === 'EACCES') return `The audit file ${file} may not be read by this user.`;
  if (code === 'EISDIR') return `${file} is a folder, not an audit file.`;
  return `The audit file ${file} cannot be read: ${message}`;
}
