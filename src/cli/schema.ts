/** `schema`: prints the JSON Schema of policies, for editors. */
import type { Command } from 'commander';
import { policyJsonSchema } from '../policy/json-schema.ts';
import type { Output } from './settings.ts';

/** Adds the command. */
export const addSchema = (program: Command, output: Output): void => {
  program
    .command('schema')
    .description('Print the JSON Schema of policies, for editors (npm run schema writes it into policies/).')
    .action(() => output.out(policyJsonSchema().trimEnd()));
};
