/** The words of `revoke` on the command line. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Variables } from '../config/environment.ts';
import { DURATION, durationMillis } from '../policy/amounts.ts';
import { type AdminFlags, addAdminCommand, adminOptions } from './admin-options.ts';
import { MOMENT_FORM, parseMoment } from './moment.ts';
import type { RevokeDeed } from './revoke.ts';
import type { Output } from './settings.ts';

interface TermFlags extends AdminFlags {
  readonly until?: string;
  readonly note?: string;
}

interface Surroundings {
  readonly output: Output;
  readonly variables: Variables;
}

const NOTE = `
A user is ISSUER|USER, as in the audit: the name of the issuer, a bar, and the claim. Quote it for the shell.
Who was revoked by user comes in again with a token that was issued later.`;

/** Adds the command and what can be done with it to a program. */
export function addRevoke(program: Command, { output, variables }: Surroundings, exit: (code: number) => void): void {
  const group = program
    .command('revoke')
    .description('Take tokens back before they expire: requests are refused and open sockets end, at once.')
    .addHelpText('after', NOTE);
  const run = async (deed: RevokeDeed, flags: AdminFlags): Promise<void> => {
    const { revoke } = await import('./revoke.ts');
    exit(await revoke(deed, { ...adminOptions(flags), variables }, output));
  };

  withTerms(addAdminCommand(group, 'user', 'Revoke all tokens of a user that were issued up to now.'))
    .argument('<owner>', 'ISSUER|USER', parseOwner)
    .action((user: string, flags: TermFlags) => run(revoked({ user }, flags), flags));
  withTerms(addAdminCommand(group, 'token', 'Revoke one token.'))
    .argument('<issuer>', 'the name of its issuer')
    .argument('<jti>', 'its id, the claim "jti"')
    .action((issuer: string, token: string, flags: TermFlags) => run(revoked({ token, issuer }, flags), flags));
  withTerms(addAdminCommand(group, 'session', 'Revoke one session of somebody who logged in with a browser.'))
    .argument('<id>', 'its id, which opens nothing', parseSession)
    .action((session: string, flags: TermFlags) => run(revoked({ session }, flags), flags));
  withTerms(addAdminCommand(group, 'issued-before', 'Revoke every token that was issued before a time.'))
    .argument('<time>', MOMENT_FORM, parseIssued)
    .option('--issuer <name>', 'only those of this issuer')
    .action((issuedBefore: string, { issuer, ...flags }: TermFlags & { readonly issuer?: string }) =>
      run(revoked({ issuedBefore, ...(issuer !== undefined && { issuer }) }, flags), flags),
    );
  addAdminCommand(group, 'list', 'Tell what is revoked, oldest first.').action((flags: AdminFlags) =>
    run({ do: 'list' }, flags),
  );
  addAdminCommand(group, 'undo', 'Take a revocation back: tokens that are valid otherwise are good again.')
    .argument('<id>', 'which, as "revoke list" tells it')
    .action((id: string, flags: AdminFlags) => run({ do: 'undo', id }, flags));
}

const withTerms = (command: Command): Command =>
  command
    .option('--until <time>', 'forget it then: a span from now such as 1h, or a time', parseUntil)
    .option('--note <text>', 'why, for the audit');

const revoked = (subject: Extract<RevokeDeed, { do: 'revoke' }>['wanted'], { until, note }: TermFlags): RevokeDeed => ({
  do: 'revoke',
  wanted: { ...subject, ...(until !== undefined && { until }), ...(note !== undefined && { note }) },
});

const parseOwner = (text: string): string => {
  if (!/^[^|]+[|]./su.test(text)) throw new InvalidArgumentError('Expected ISSUER|USER, such as "corp|alice".');
  return text;
};

const parseSession = (text: string): string => {
  if (!/^[0-9a-f]{24}$/.test(text)) throw new InvalidArgumentError('Expected 24 of 0-9 and a-f.');
  return text;
};

const parseIssued = (text: string): string => {
  const millis = parseMoment(text);
  if (millis === undefined) throw new InvalidArgumentError(`Expected ${MOMENT_FORM}.`);
  return new Date(millis).toISOString();
};

const parseUntil = (text: string): string => {
  const now = Date.now();
  const millis = DURATION.test(text) ? now + durationMillis(text) : parseMoment(text, now);
  if (millis === undefined || millis <= now)
    throw new InvalidArgumentError('Expected a span from now such as 1h or 7d, or a time that is yet to come.');
  return new Date(millis).toISOString();
};
