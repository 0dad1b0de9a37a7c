/** `revoke`: takes tokens back before they expire, by the admin API of the gateway that runs. */
import type { AdminCall, AdminReply } from './admin-call.ts';
import { type AdminDeedOptions, doAtAdmin, isObject, refusedOr } from './admin-deed.ts';
import { seen } from './seen.ts';
import type { Output } from './settings.ts';

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

/** Resolves with the exit code, as `doAtAdmin` does. */
export const revoke = (deed: RevokeDeed, options: AdminDeedOptions, output: Output): Promise<number> => {
  const undone = NOTHING[deed.do];
  const failureOf = (reply: AdminReply, url: string) => failure(deed, reply, url);
  return doAtAdmin({ call: callFor(deed), undone, failureOf, told: (body) => told(body as Answer) }, options, output);
};

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

const failure = (deed: RevokeDeed, reply: AdminReply, url: string): string | undefined => {
  const { status, body } = reply;
  const fields = isObject(body) ? body : {};
  if (status < 300 && (isObject(fields.revocation) || Array.isArray(fields.revocations))) return undefined;
  if (deed.do === 'undo' && fields.code === 'resource-hidden')
    return `There is no revocation ${seen(deed.id)}. "revoke list" tells which there are.`;
  if (fields.code === 'issuer-unknown')
    return `The gateway knows no issuer of this name: it is the "name" of one of the issuers in its configuration.${NOTHING[deed.do]}`;
  return refusedOr(reply, url, NOTHING[deed.do]);
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
