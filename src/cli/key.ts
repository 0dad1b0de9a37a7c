/** `key`: makes, lists and revokes the API keys of service accounts, by the admin API of the gateway that runs. */
import type { AdminCall, AdminReply } from './admin-call.ts';
import { type AdminDeedOptions, doAtAdmin, isObject, refusedOr } from './admin-deed.ts';
import { seen } from './seen.ts';
import type { Output } from './settings.ts';

/** A key, as the admin API takes it. */
export interface WantedKey {
  readonly account: string;
  readonly roles: readonly string[];
  /** RFC 3339; 90 days ahead unless it is given. */
  readonly expires?: string;
  readonly note?: string;
}

export type KeyDeed =
  | { readonly do: 'create'; readonly wanted: WantedKey }
  | { readonly do: 'list' }
  | { readonly do: 'revoke'; readonly id: string };

/** Resolves with the exit code, as `doAtAdmin` does. */
export const key = (deed: KeyDeed, options: AdminDeedOptions, output: Output): Promise<number> => {
  const undone = NOTHING[deed.do];
  const failureOf = (reply: AdminReply, url: string) => failure(deed, reply, url);
  return doAtAdmin({ call: callFor(deed), undone, failureOf, told: (body) => told(body as Answer) }, options, output);
};

const NOTHING: Readonly<Record<KeyDeed['do'], string>> = {
  create: ' No key was made.',
  revoke: ' Nothing was revoked.',
  list: '',
};

const callFor = (deed: KeyDeed): AdminCall => {
  if (deed.do === 'list') return { method: 'GET', path: '/keys' };
  if (deed.do === 'revoke') return { method: 'DELETE', path: `/keys/${encodeURIComponent(deed.id)}` };
  return { method: 'POST', path: '/keys', body: deed.wanted };
};

/** A key, as the admin API tells it. */
interface Told {
  readonly id: string;
  readonly owner: string;
  readonly roles: readonly string[];
  readonly madeAt: string;
  readonly expires: string;
  readonly expired: boolean;
  readonly note: string | null;
}

type Answer =
  | { readonly key: Told; readonly secret: string }
  | { readonly key: Told; readonly secret?: undefined; readonly ended: number }
  | { readonly key?: undefined; readonly keys: readonly Told[] };

const failure = (deed: KeyDeed, reply: AdminReply, url: string): string | undefined => {
  const { status, body } = reply;
  const fields = isObject(body) ? body : {};
  const expected = {
    create: isObject(fields.key) && typeof fields.secret === 'string',
    list: Array.isArray(fields.keys),
    revoke: isObject(fields.key) && typeof fields.ended === 'number',
  }[deed.do];
  if (status < 300 && expected) return undefined;
  if (deed.do === 'revoke' && fields.code === 'key-unknown')
    return `There is no API key ${seen(deed.id)}. "key list" tells which there are.`;
  return refusedOr(reply, url, NOTHING[deed.do]);
};

const told = (answer: Answer): string[] => {
  if (answer.key === undefined) {
    if (answer.keys.length === 0) return ['There is no API key.'];
    return answer.keys.map((one) => `${one.id}  ${one.madeAt}  ${words(one)}${one.expired ? ', expired' : ''}`);
  }
  const { key: one } = answer;
  if (answer.secret !== undefined)
    return [`Made: the API key ${one.id} of ${words(one)}.`, 'It is shown this once:', answer.secret];
  const sockets = answer.ended === 1 ? '1 open socket was' : `${answer.ended} open sockets were`;
  return [`Revoked: the API key ${one.id} of ${words(one)}. Here ${sockets} ended.`];
};

const words = ({ owner, roles, expires, note }: Told): string => {
  const held = roles.length === 0 ? 'no roles' : `roles ${roles.map(seen).join(', ')}`;
  return `${seen(owner)}, ${held}, until ${expires}${note === null ? '' : ` (${seen(note)})`}`;
};
