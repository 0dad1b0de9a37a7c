/** The words of `key` on the command line. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Variables } from '../config/environment.ts';
import { DURATION, durationMillis } from '../policy/amounts.ts';
import { type AdminFlags, addAdminCommand, adminOptions } from './admin-options.ts';
import type { KeyDeed } from './key.ts';
import { parseMoment } from './moment.ts';
import type { Output } from './settings.ts';

interface CreateFlags extends AdminFlags {
  readonly role: readonly string[];
  readonly expires?: string;
  readonly note?: string;
}

interface Surroundings {
  readonly output: Output;
  readonly variables: Variables;
}

const NOTE = `
A program shows its key as a bearer token: "Authorization: Bearer jgk_…". What it makes is owned by service|ACCOUNT. Two keys
of one account share that: to rotate, make the second, give it to the program, and revoke the first.`;

const MAX_MILLIS = 366 * 86_400_000;

/** Adds the command and what can be done with it to a program. */
export function addKey(program: Command, { output, variables }: Surroundings, exit: (code: number) => void): void {
  const group = program
    .command('key')
    .description('Make, list and revoke the API keys of service accounts.')
    .addHelpText('after', NOTE);
  const run = async (deed: KeyDeed, flags: AdminFlags): Promise<void> => {
    const { key } = await import('./key.ts');
    exit(await key(deed, { ...adminOptions(flags), variables }, output));
  };

  addAdminCommand(group, 'create', 'Make a key. It is shown this once.')
    .argument('<account>', 'the service account', parseAccount)
    .option('--role <role>', 'a role that the key has; may be given more than once', collectRole, [])
    .option('--expires <time>', 'when it ends: a span from now such as 30d, or a time (default: 90d)', parseExpires)
    .option('--note <text>', 'what it is for')
    .action((account: string, { role: roles, expires, note, ...flags }: CreateFlags) =>
      run({ do: 'create', wanted: { account, roles, ...termsOf(expires, note) } }, flags),
    );
  addAdminCommand(group, 'list', 'Tell which keys there are, oldest first.').action((flags: AdminFlags) =>
    run({ do: 'list' }, flags),
  );
  addAdminCommand(group, 'revoke', 'End a key: requests are refused and open sockets end, at once.')
    .argument('<id>', 'which, as "key list" tells it')
    .action((id: string, flags: AdminFlags) => run({ do: 'revoke', id }, flags));
}

const termsOf = (expires: string | undefined, note: string | undefined) => ({
  ...(expires !== undefined && { expires }),
  ...(note !== undefined && { note }),
});

const parseAccount = (text: string): string => {
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(text))
    throw new InvalidArgumentError(
      'Expected 1 to 64 of a-z, 0-9, ".", "_" and "-", a letter or a digit first, such as "ci".',
    );
  return text;
};

const collectRole = (text: string, before: readonly string[]): readonly string[] => {
  if (!/^[^\s\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,255}$/u.test(text))
    throw new InvalidArgumentError('Expected one role, without spaces.');
  return [...before, text];
};

const parseExpires = (text: string): string => {
  const now = Date.now();
  const millis = DURATION.test(text) ? now + durationMillis(text) : parseMoment(text, now);
  if (millis === undefined || millis <= now || millis > now + MAX_MILLIS)
    throw new InvalidArgumentError(
      'Expected a span from now such as 90d, or a time that is yet to come; 366d at most.',
    );
  return new Date(millis).toISOString();
};
