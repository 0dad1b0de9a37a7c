/** The options of every command that asks the gateway that runs. */
import { type Command, InvalidArgumentError } from 'commander';
import { PORT_FORM, parsePort } from '../config/values.ts';
import type { AdminDeedOptions } from './admin-deed.ts';

export interface AdminFlags {
  readonly config: string;
  readonly adminPort?: number;
  readonly json: boolean;
}

/** Adds a command of this kind to a group, and returns it. */
export const addAdminCommand = (group: Command, name: string, description: string): Command =>
  group
    .command(name)
    .description(description)
    .option('--config <file>', 'the configuration that the gateway runs with', 'gateway.yaml')
    .option('--admin-port <port>', 'instead of admin.port', parseAdminPort)
    .option('--json', 'write one JSON object', false);

/** Returns what the flags come to. */
export const adminOptions = ({ config: file, adminPort, json }: AdminFlags): Omit<AdminDeedOptions, 'variables'> => ({
  ...{ file, json },
  flags: adminPort === undefined ? {} : { adminPort },
});

const parseAdminPort = (text: string): number => {
  const port = parsePort(text);
  if (port === undefined) throw new InvalidArgumentError(`Expected ${PORT_FORM}.`);
  return port;
};
