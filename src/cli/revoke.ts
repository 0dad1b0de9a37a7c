/** `revoke`: takes tokens back before they expire, by the admin API of the gateway that runs. */
import { adminPlace } from '../config/admin.ts';
import type { Overrides, Variables } from '../config/environment.ts';
import { type AdminCall, type AdminReply, callAdmin } from './admin-call.ts';
import { seen } from './seen.ts';
import { type Output, writeFaults } from './settings.ts';

export interface RevokeOptions {
  readonly file: string;
  readonly flags: Overrides;
  readonly json: boolean;
  readonly variables: Variables;
}

/** What is revoked, as the admin API takes it. */
export type Wanted = (
  | { readonly user: string }
  | { readonly token: string; readonly issuer: string }
  | { readonly session: string }
  | { readonly issuedBefore: string; readonly issuer?: string }
) & { readonly until?: string; readonly note?: string };

export type RevokeDeed =
  | { readonly do: 'revoke'; readonly wanted: Wanted }
  | { readonly do: 'list' }
  | { readonly do: 'undo'; readonly id: string };

/**
 * Resolves with the exit code: 0 when it was done, 1 when it was not (nothing runs there, the token is not right, there is
 * nothing to take back), 3 when the configuration is not valid.
 */
export async function revoke(deed: RevokeDeed, options: RevokeOptions, output: Output): Promise<number> {
  const place = adminPlace(options);
  if ('faults' in place) {
    writeFaults(place.faults, options, output);
    return 3;
  }
  const reply = await callAdmin(callFor(deed), place);
  const failure = 'failure' in reply ? `${reply.failure}${NOTHING[deed.do]}` : failureOf(deed, reply, place.url);
  if (failure !== undefined) {
    if (options.json) output.out(JSON.stringify({ outcome: 'failed', message: failure }));
    else output.err(failure);
    return 1;
  }
  const { body } = reply as AdminReply;
  if (options.json) output.out(JSON.stringify(body));
  else for (const line of told(body as Answer)) output.out(line);
  return 0;
}

/** Who asked in haste must not believe that it was done. */
const NOTHING: Readonly<Record<RevokeDeed['do'], string>> = {
  revoke: ' Nothing was revoked.',
  undo: ' Nothing was taken back.',
  list: '',
};

const callFor = (deed: RevokeDeed): AdminCall => {
  if (deed.do === 'list') return { method: 'GET', path: '/revocations' };
  if (deed.do === 'undo') return { method: 'DELETE', path: `/revocations/${encodeURIComponent(deed.id)}` };
  return { method: 'POST', path: '/revocations', body: deed.wanted };
};

/** A revocation, as the admin API tells it. */
interface Told {
  readonly id: string;
  readonly by: 'user' | 'token' | 'session' | 'issued-before';
  readonly user?: string;
  readonly issuer?: string | null;
  readonly token?: string;
  readonly session?: string;
  readonly issuedBefore?: string;
  readonly madeAt: string;
  readonly until: string | null;
  readonly note: string | null;
}

type Answer =
  | { readonly revocation: Told; readonly ended?: number }
  | { readonly revocation?: undefined; readonly revocations: readonly Told[] };

const isObject = (body: unknown): body is Record<string, unknown> => typeof body === 'object' && body !== null;

/** Returns a sentence for an answer that is not the one that was asked for. */
const failureOf = (deed: RevokeDeed, { status, body }: AdminReply, url: string): string | undefined => {
  const fields = isObject(body) ? body : {};
  if (status < 300 && (isObject(fields.revocation) || Array.isArray(fields.revocations))) return undefined;
  if (deed.do === 'undo' && fields.code === 'resource-hidden')
    return `There is no revocation ${seen(deed.id)}. "revoke list" tells which there are.`;
  if (fields.code === 'issuer-unknown')
    return `The gateway knows no issuer of this name: it is the "name" of one of the issuers in its configuration.${NOTHING[deed.do]}`;
  if (typeof fields.code === 'string')
    return `The gateway refused it (${fields.code}): ${fields.detail}${NOTHING[deed.do]}`;
  return `What answers at ${url} (with status ${status}) is no gateway that can do this.${NOTHING[deed.do]}`;
};

const told = (answer: Answer): string[] => {
  if (answer.revocation === undefined) {
    if (answer.revocations.length === 0) return ['Nothing is revoked.'];
    return answer.revocations.map((one) => `${one.id}  ${one.madeAt}  ${subject(one)}${terms(one)}`);
  }
  const { revocation, ended } = answer;
  if (ended === undefined) return [`Taken back: ${subject(revocation)}. What is valid otherwise is good again.`];
  const sockets = ended === 1 ? '1 open socket was' : `${ended} open sockets were`;
  return [`Revoked: ${subject(revocation)}${terms(revocation)}, as ${revocation.id}. Here ${sockets} ended.`];
};

const subject = ({ by, user, issuer, token, session, issuedBefore }: Told): string => {
  if (by === 'user') return `user ${seen(user ?? '')}`;
  if (by === 'token') return `token ${seen(token ?? '')} of ${issuer}`;
  if (by === 'session') return `session ${seen(session ?? '')}`;
  return `what ${issuer ?? 'every issuer'} issued before ${issuedBefore}`;
};

const terms = ({ until, note }: Told): string =>
  `${until === null ? '' : `, until ${until}`}${note === null ? '' : ` (${seen(note)})`}`;

/** A name may hold what steers a terminal, or turns text around. */
