/** The words of `policy` on the command line. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Variables } from '../config/environment.ts';
import { PORT_FORM, parsePort } from '../config/values.ts';
import { DEEDS, policy } from './policy.ts';
import type { Output } from './settings.ts';

interface Flags {
  readonly config: string;
  readonly adminPort?: number;
  readonly json: boolean;
}

interface Surroundings {
  readonly output: Output;
  readonly variables: Variables;
}

/** Adds the command and what can be done with it to a program. */
export function addPolicy(program: Command, { output, variables }: Surroundings, exit: (code: number) => void): void {
  const group = program.command('policy').description('Ask the running gateway for its policy, or change that.');
  for (const [name, deed] of Object.entries(DEEDS)) {
    group
      .command(name)
      .description(deed.description)
      .option('--config <file>', 'the configuration that the gateway runs with', 'gateway.yaml')
      .option('--admin-port <port>', 'instead of admin.port', parseAdminPort)
      .option('--json', 'write one JSON object', false)
      .action(async ({ config: file, adminPort, json }: Flags) => {
        const flags = adminPort === undefined ? {} : { adminPort };
        exit(await policy(deed, { file, flags, json, variables }, output));
      });
  }
}

const parseAdminPort = (text: string): number => {
  const port = parsePort(text);
  if (port === undefined) throw new InvalidArgumentError(`Expected ${PORT_FORM}.`);
  return port;
};
