/** `key`: makes, lists and revokes the API keys of service accounts, by the admin API of the gateway that runs. */
import { adminPlace } from '../config/admin.ts';
import type { Overrides, Variables } from '../config/environment.ts';
import { type AdminCall, type AdminReply, callAdmin } from './admin-call.ts';
import { seen } from './seen.ts';
import { type Output, writeFaults } from './settings.ts';

export interface KeyOptions {
  readonly file: string;
  readonly flags: Overrides;
  readonly json: boolean;
  readonly variables: Variables;
}

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

/**
 * Resolves with the exit code: 0 when it was done, 1 when it was not (nothing runs there, the token is not right, there is
 * no such key), 3 when the configuration is not valid.
 */
export async function key(deed: KeyDeed, options: KeyOptions, output: Output): Promise<number> {
  const place = adminPlace(options);
  if ('faults' in place) {
    writeFaults(place.faults, options, output);
    return 3;
  }
  const reply = await callAdmin(callFor(deed), place);
  const failure = 'failure' in reply ? `${reply.failure}${NOTHING[deed.do]}` : failureOf(deed, reply, place.url);
  if (failure !== undefined) {
    if (options.json) output.out(JSON.stringify({ outcome: 'failed', message: failure }));
    // Whatever answers at that port has a part in it.
    else output.err(seen(failure));
    return 1;
  }
  const { body } = reply as AdminReply;
  if (options.json) output.out(JSON.stringify(body));
  else for (const line of told(body as Answer)) output.out(seen(line));
  return 0;
}

/** Who asked in haste must not believe that it was done. */
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

const isObject = (body: unknown): body is Record<string, unknown> => typeof body === 'object' && body !== null;

/** Returns a sentence for an answer that is not the one that was asked for. */
const failureOf = (deed: KeyDeed, { status, body }: AdminReply, url: string): string | undefined => {
  const fields = isObject(body) ? body : {};
  const expected = {
    create: isObject(fields.key) && typeof fields.secret === 'string',
    list: Array.isArray(fields.keys),
    revoke: isObject(fields.key) && typeof fields.ended === 'number',
  }[deed.do];
  if (status < 300 && expected) return undefined;
  if (deed.do === 'revoke' && fields.code === 'key-unknown')
    return `There is no API key ${seen(deed.id)}. "key list" tells which there are.`;
  if (typeof fields.code === 'string')
    return `The gateway refused it (${fields.code}): ${fields.detail}${NOTHING[deed.do]}`;
  return `What answers at ${url} (with status ${status}) is no gateway that can do this.${NOTHING[deed.do]}`;
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
