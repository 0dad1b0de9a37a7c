/** The words of `report` on the command line. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Variables } from '../config/environment.ts';
import { MOMENT_FORM, parseMoment } from './moment.ts';
import type { Output } from './settings.ts';

interface Flags {
  readonly config: string;
  readonly since?: number;
  readonly until?: number;
  readonly json: boolean;
}

const NOTE = `
A time is a span before now, such as 24h or 7d, or a date, such as 2026-11-01 or 2026-11-01T08:00:00Z (UTC where it says
nothing else). Without --since and --until the report is of the whole file.`;

interface Surroundings {
  readonly output: Output;
  readonly variables: Variables;
}

/** Adds the command to a program. */
export function addReport(program: Command, { output, variables }: Surroundings, exit: (code: number) => void): void {
  program
    .command('report')
    .description('Summarise the audit file: what was decided, what is ready to be enforced, and what would break.')
    .option('--since <time>', 'what was decided from then on', moment)
    .option('--until <time>', 'what was decided before', moment)
    .option('--config <file>', 'the configuration', 'gateway.yaml')
    .option('--json', 'write one JSON object', false)
    .addHelpText('after', NOTE)
    .action(async ({ config: file, ...flags }: Flags) => {
      const { report } = await import('./report.ts');
      exit(await report({ ...flags, file, variables }, output));
    });
}

const moment = (text: string): number => {
  const millis = parseMoment(text);
  if (millis === undefined) throw new InvalidArgumentError(`Expected ${MOMENT_FORM}.`);
  return millis;
};
