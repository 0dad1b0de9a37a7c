/** The revocations' part of the admin API. All of it needs the token: a list of revocations names people. */
import { Hono } from 'hono';
import type { AuditRecord } from '../model/audit.ts';
import type { JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import type { Revocation, RevocationTerms, Revoked } from '../model/revocation.ts';
import { type AdminAccess, adminGuard } from './admin-guard.ts';
import { type AdminEnv, adminRecorder, jsonBody } from './admin-request.ts';
import { revokedIn } from './revocation-form.ts';

export interface AdminRevocations extends AdminAccess {
  /** The aliases of the issuers that there are: a name that is mistyped must not look as if it were revoked. */
  readonly issuers: readonly string[];
  readonly list: () => readonly Revocation[];
  /** Resolves, when it is kept, with what was made and the number of sockets that were ended here. */
  readonly add: (
    revoked: Revoked & RevocationTerms,
  ) => Promise<{ readonly revocation: Revocation; readonly ended: number }>;
  /** Resolves with what was taken back, or undefined when there is none of this id. */
  readonly remove: (id: string) => Promise<Revocation | undefined>;
  /** Returns the value of a body, or throws a Rejection. */
  readonly readJson: (body: Buffer) => JsonValue;
  /** Must not throw and must not block. */
  readonly onDecision: (record: AuditRecord) => void;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

/** Returns the routes below `/revocations`; they throw a Rejection for what may not be asked. */
export const revocationRoutes = (revocations: AdminRevocations): Hono<AdminEnv> => {
  const { now = Date.now } = revocations;
  const form = { issuers: new Set(revocations.issuers), now };
  const routes = new Hono<AdminEnv>();
  routes.use('*', adminRecorder(revocations.onDecision, now));
  routes.use('*', adminGuard(revocations, []));
  routes.get('/', (context) => {
    const list = revocations.list();
    context.set('deed', `listed ${list.length} revocations`);
    return context.json({ revocations: list.map(shown) });
  });
  routes.post('/', async (context) => {
    const revoked = revokedIn(revocations.readJson(await jsonBody(context)), form);
    const { revocation, ended } = await revocations.add(revoked);
    context.set('deed', `revoked ${words(revocation)}, ${ended} sockets ended`);
    context.header('location', `/revocations/${revocation.id}`);
    return context.json({ revocation: shown(revocation), ended }, 201);
  });
  routes.delete('/:id', async (context) => {
    const revocation = await revocations.remove(context.req.param('id'));
    if (revocation === undefined) throw new Rejection('resource-hidden', 'no revocation of this id');
    context.set('deed', `took back ${words(revocation)}`);
    return context.json({ revocation: shown(revocation) });
  });
  return routes;
};

const timeOf = (millis: number): string => new Date(millis).toISOString();

/** As it is told to the operator. */
const shown = (revocation: Revocation): object => {
  const { id, by, madeAtMillis, untilMillis, note = null } = revocation;
  const until = untilMillis === undefined ? null : timeOf(untilMillis);
  const terms = { madeAt: timeOf(madeAtMillis), until, note };
  if (revocation.by === 'session') return { id, by, session: revocation.sessionId, ...terms };
  const { issuer = null } = revocation;
  if (revocation.by === 'user') return { id, by, user: `${issuer}|${revocation.user}`, ...terms };
  if (revocation.by === 'token') return { id, by, issuer, token: revocation.tokenId, ...terms };
  return { id, by, issuer, issuedBefore: timeOf(revocation.beforeMillis), ...terms };
};

/** As it is told to the audit. */
const words = (revocation: Revocation): string => {
  const { id, untilMillis, note } = revocation;
  const until = untilMillis === undefined ? '' : ` until ${timeOf(untilMillis)}`;
  return `${subject(revocation)}${until} (${id})${note === undefined ? '' : `: ${note}`}`;
};

const subject = (revocation: Revocation): string => {
  if (revocation.by === 'session') return `session ${revocation.sessionId}`;
  const { by, issuer = 'every issuer' } = revocation;
  if (by === 'user') return `user ${issuer}|${revocation.user}`;
  if (by === 'token') return `token ${revocation.tokenId} of ${issuer}`;
  return `what ${issuer} issued before ${timeOf(revocation.beforeMillis)}`;
};
