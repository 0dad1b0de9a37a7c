/** The words of `owners` on the command line. */
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import type { Variables } from '../config/environment.ts';
import type { Renaming } from '../model/owner-change.ts';
import { changeFault, issuerFault, OWNER_FORM, parseOwnerMap } from './owner-map.ts';
import type { OwnersDeed } from './owners.ts';
import { seen } from './seen.ts';
import type { Output } from './settings.ts';

interface Flags {
  readonly config: string;
  readonly json: boolean;
}

interface RenameFlags extends Flags {
  readonly apply: boolean;
  readonly merge: boolean;
  readonly issuer: boolean;
  readonly map?: string;
  readonly undoFile?: string;
}

interface Surroundings {
  readonly output: Output;
  readonly variables: Variables;
}

const NOTE = `
An owner is ${OWNER_FORM}: the name of the issuer, a bar, and the claim. Quote it for the shell.
Gateways may run meanwhile: they follow within a second. Run it as the user who runs them.`;

/** Adds the command and what can be done with it to a program. */
export function addOwners(program: Command, { output, variables }: Surroundings, exit: (code: number) => void): void {
  const group = program
    .command('owners')
    .description('Tell who owns how much, and rename owners when an issuer or one of its claims changed.')
    .addHelpText('after', NOTE);
  const run = async (deed: OwnersDeed, { config: file, json }: Flags): Promise<void> => {
    const { owners } = await import('./owners.ts');
    exit(await owners(deed, { file, json, variables }, output));
  };

  add(group, 'list', 'Tell the owners that have something, and how much.')
    .option('--issuer <name>', 'only users of this issuer')
    .action(({ issuer, ...flags }: Flags & { readonly issuer?: string }) =>
      run({ do: 'list', ...(issuer !== undefined && { issuer }) }, flags),
    );
  add(group, 'rename', 'Tell what a renaming would change; with --apply, do it. Who was called so logs in anew.')
    .argument('[from]', 'the owner, or with --issuer the issuer, as it was called')
    .argument('[to]', 'as it is called now')
    .option('--issuer', 'rename all users of an issuer', false)
    .option('--map <file>', 'rename the owners of a file with one a line: OLD,NEW')
    .option('--merge', 'let two owners become one', false)
    .option('--apply', 'do it', false)
    .option('--undo-file <file>', 'where to keep what takes it back (default: beside the ledger)')
    .action((from: string | undefined, to: string | undefined, flags: RenameFlags) => {
      const told = renamingOf(flags, from, to);
      if ('faults' in told) {
        // They cite a file that others may have filled.
        for (const fault of told.faults) output.err(seen(fault));
        return exit(told.code);
      }
      const { apply, merge, undoFile } = flags;
      return run({ do: 'rename', renaming: told, apply, merge, ...(undoFile !== undefined && { undoFile }) }, flags);
    });
  add(group, 'undo', 'Tell what a renaming would give back; with --apply, take it back.')
    .argument('<file>', 'which "owners rename" has written', parseFile)
    .option('--apply', 'do it', false)
    .action((undoFile: string, { apply, ...flags }: Flags & { readonly apply: boolean }) =>
      run({ do: 'undo', undoFile, apply }, flags),
    );
}

const add = (group: Command, name: string, description: string): Command =>
  group
    .command(name)
    .description(description)
    .option('--config <file>', 'the configuration that the gateway runs with', 'gateway.yaml')
    .option('--json', 'write one JSON object', false);

const parseFile = (text: string): string => {
  if (text === '') throw new InvalidArgumentError('Expected a file.');
  return text;
};

interface Wrong {
  readonly faults: readonly string[];
  readonly code: 1 | 2;
}

const renamingOf = (
  { issuer, map }: RenameFlags,
  from: string | undefined,
  to: string | undefined,
): Renaming | Wrong => {
  if (map !== undefined) {
    if (from !== undefined || issuer) return wrong('--map takes the names out of its file: give no others.');
    return mapped(map);
  }
  if (from === undefined || to === undefined) return wrong('Two names are needed, or --map with a file of them.');
  const fault = issuer ? issuerFault({ from, to }) : changeFault({ from, to });
  if (fault !== undefined) return wrong(`${fault}.`);
  return issuer ? { issuer: { from, to } } : { owners: [{ from, to }] };
};

const mapped = (file: string): Renaming | Wrong => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { faults: [`The file ${file} cannot be read: ${(error as Error).message}`], code: 1 };
  }
  const { changes, faults } = parseOwnerMap(text);
  if (faults.length > 0) return { faults: faults.map((fault) => `${file}: ${fault}`), code: 2 };
  return changes.length === 0 ? wrong(`${file} names nobody.`) : { owners: changes };
};

const wrong = (fault: string): Wrong => ({ faults: [fault], code: 2 });
