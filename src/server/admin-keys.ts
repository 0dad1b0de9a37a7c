/** The API keys' part of the admin API. All of it needs the token: who makes a key lets somebody in. */
import { Hono } from 'hono';
import type { ApiKey, ApiKeyWanted } from '../model/api-key.ts';
import type { AuditRecord } from '../model/audit.ts';
import type { JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import { type AdminAccess, adminGuard } from './admin-guard.ts';
import { type AdminEnv, adminRecorder, jsonBody } from './admin-request.ts';
import { keyWantedIn } from './key-form.ts';

export interface AdminKeys extends AdminAccess {
  /** The issuer alias of those who have keys: what they own is owned by `<alias>|<account>`. */
  readonly alias: string;
  readonly list: () => readonly ApiKey[];
  /** Resolves, when it is kept, with what was made and the key itself, which is told this once. */
  readonly make: (wanted: ApiKeyWanted) => Promise<{ readonly key: ApiKey; readonly text: string }>;
  /** Resolves with what was revoked and the number of sockets that were ended here; undefined: none of this id. */
  readonly revoke: (id: string) => Promise<{ readonly key: ApiKey; readonly ended: number } | undefined>;
  /** Returns the value of a body, or throws a Rejection. */
  readonly readJson: (body: Buffer) => JsonValue;
  /** Must not throw and must not block. */
  readonly onDecision: (record: AuditRecord) => void;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

/** Returns the routes below `/keys`; they throw a Rejection for what may not be asked. */
export const keyRoutes = (keys: AdminKeys): Hono<AdminEnv> => {
  const { alias, now = Date.now } = keys;
  const shown = (key: ApiKey): object => ({
    ...{ id: key.id, owner: `${alias}|${key.account}`, roles: key.roles },
    ...{ madeAt: timeOf(key.madeAtMillis), expires: timeOf(key.expiresAtMillis), note: key.note ?? null },
    expired: key.expiresAtMillis <= now(),
  });
  /** As it is told to the audit. */
  const words = ({ id, account, roles, expiresAtMillis, note }: ApiKey): string =>
    `the API key ${id} of ${alias}|${account}${roles.length === 0 ? '' : `, ${roles.join(' ')},`} until ${timeOf(expiresAtMillis)}${note === undefined ? '' : `: ${note}`}`;
  const routes = new Hono<AdminEnv>();
  routes.use('*', adminRecorder(keys.onDecision, now));
  routes.use('*', adminGuard(keys, []));
  routes.get('/', (context) => {
    const list = keys.list();
    context.set('deed', `listed ${list.length} API keys`);
    return context.json({ keys: list.map(shown) });
  });
  routes.post('/', async (context) => {
    const wanted = keyWantedIn(keys.readJson(await jsonBody(context)), now());
    const { key, text } = await keys.make(wanted);
    context.set('deed', `made ${words(key)}`);
    context.header('location', `/keys/${key.id}`);
    return context.json({ key: shown(key), secret: text }, 201);
  });
  routes.delete('/:id', async (context) => {
    const revoked = await keys.revoke(context.req.param('id'));
    if (revoked === undefined) throw new Rejection('key-unknown', 'no API key of this id');
    context.set('deed', `revoked ${words(revoked.key)}, ${revoked.ended} sockets ended`);
    return context.json({ key: shown(revoked.key), ended: revoked.ended });
  });
  return routes;
};

const timeOf = (millis: number): string => new Date(millis).toISOString();
