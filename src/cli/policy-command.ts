/** The words of `policy` on the command line. */
import type { Command } from 'commander';
import type { Variables } from '../config/environment.ts';
import { type AdminFlags, addAdminCommand, adminOptions } from './admin-options.ts';
import { DEEDS, policy } from './policy.ts';
import type { Output } from './settings.ts';

interface Surroundings {
  readonly output: Output;
  readonly variables: Variables;
}

/** Adds the command and what can be done with it to a program. */
export function addPolicy(program: Command, { output, variables }: Surroundings, exit: (code: number) => void): void {
  const group = program.command('policy').description('Ask the running gateway for its policy, or change that.');
  for (const [name, deed] of Object.entries(DEEDS)) {
    addAdminCommand(group, name, deed.description).action(async (flags: AdminFlags) => {
      exit(await policy(deed, { ...adminOptions(flags), variables }, output));
    });
  }
}
