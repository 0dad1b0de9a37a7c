/**
 * Sessions in Redis, for all replicas: a hash for each, and sets that say which are of one user and of one session at the
 * provider. Everything ends by itself with the session. What Redis forgets, its users log in again for.
 */
import type { KeptSession, SessionStore, SessionsOf } from '../../authn/session/store.ts';
import type { Session } from '../../model/session.ts';
import { keptJson, keptRoles } from '../kept-roles.ts';
import { type RedisConnection, redisScript } from './connect.ts';

export interface RedisSessionsOptions {
  readonly connection: RedisConnection;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

/** A hash's fields: what changes by a login or a refresh alone, and what else changes. */
const FIELDS = ['session', 'used', 'version'] as const;

const INSERT = redisScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'session', ARGV[2], 'used', ARGV[3], 'version', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
for index = 2, #KEYS do
  redis.call('SADD', KEYS[index], ARGV[1])
  if redis.call('PTTL', KEYS[index]) < tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[index], ARGV[5]) end
end
return 1
`);

const TOUCH = redisScript(`
local used = redis.call('HGET', KEYS[1], 'used')
if used and tonumber(used) < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'used', ARGV[1]) end
return 1
`);

const REPLACE = redisScript(`
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'session', ARGV[2], 'version', ARGV[3])
if tonumber(redis.call('HGET', KEYS[1], 'used')) < tonumber(ARGV[4]) then redis.call('HSET', KEYS[1], 'used', ARGV[4]) end
redis.call('HDEL', KEYS[1], 'holder', 'until')
return 1
`);

const LEASE = redisScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local lease = redis.call('HMGET', KEYS[1], 'holder', 'until')
if lease[1] and lease[1] ~= ARGV[1] and tonumber(lease[2]) > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until', ARGV[2])
return 1
`);

const GIVE_BACK = redisScript(`
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then redis.call('HDEL', KEYS[1], 'holder', 'until') end
return 1
`);

const REMOVE = redisScript(`
for index = 2, #KEYS do redis.call('SREM', KEYS[index], ARGV[1]) end
return redis.call('DEL', KEYS[1])
`);

const NOTE_LOGOUT = redisScript(`
local left = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[2]))
local told = redis.call('GET', KEYS[1])
if told and tonumber(told) > tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], left)
else redis.call('SET', KEYS[1], ARGV[1], 'PX', left) end
return 1
`);

/** Returns the store. What it rejects with is what Redis, or the lack of it, said. */
export function redisSessions({ connection, now = Date.now }: RedisSessionsOptions): SessionStore {
  const keyOf = (digest: string): string => `${connection.keyPrefix}session:${digest}`;
  const setOf = (of: SessionsOf): string => `${connection.keyPrefix}sessions-of-${nameOf(of)}`;
  const setsOf = ({ issuer, user, providerSessionId }: Session): readonly string[] => [
    setOf({ issuer, user }),
    ...(providerSessionId === undefined ? [] : [setOf({ issuer, providerSessionId })]),
  ];

  async function read(digest: string): Promise<Session | undefined> {
    const session = toSession(await connection.call('HMGET', keyOf(digest), ...FIELDS));
    return session === undefined || session.endsAtMillis <= now() ? undefined : session;
  }

  return {
    async insert(digest, session) {
      const lifetime = Math.max(1, Math.ceil(session.endsAtMillis - now()));
      const values = [digest, JSON.stringify(session), session.usedAtMillis, session.version, lifetime];
      const made = await connection.run(INSERT, [keyOf(digest), ...setsOf(session)], values);
      if (made !== 1) throw new TypeError('there is a session of this digest already');
    },
    read,
    async touch(digest, usedAtMillis) {
      await connection.run(TOUCH, [keyOf(digest)], [usedAtMillis]);
    },
    async replace(digest, session) {
      const { version, usedAtMillis } = session;
      const values = [version - 1, JSON.stringify(session), version, usedAtMillis];
      return (await connection.run(REPLACE, [keyOf(digest)], values)) === 1;
    },
    lease: async (digest, holder, untilMillis) =>
      (await connection.run(LEASE, [keyOf(digest)], [holder, untilMillis, now()])) === 1,
    async giveBack(digest, holder) {
      await connection.run(GIVE_BACK, [keyOf(digest)], [holder]);
    },
    async remove(digest) {
      const session = await read(digest);
      const sets = session === undefined ? [] : setsOf(session);
      return (await connection.run(REMOVE, [keyOf(digest), ...sets], [digest])) === 1;
    },
    async find(of) {
      const digests = (await connection.call('SMEMBERS', setOf(of))) as readonly string[];
      const kept = await Promise.all(
        digests.map(async (digest): Promise<KeptSession[]> => {
          const session = await read(digest);
          return session === undefined ? [] : [{ digest, session }];
        }),
      );
      return kept.flat();
    },
    ...logoutNotes({ connection, now }),
    // Redis ends what is over by itself. What is not used stays until then: to find it would be to look at every key.
    purge: async () => undefined,
    close: () => undefined,
  };
}

const logoutNotes = ({
  connection,
  now = Date.now,
}: RedisSessionsOptions): Pick<SessionStore, 'noteLogout' | 'loggedOutAt'> => {
  const keyOf = (of: SessionsOf): string => `${connection.keyPrefix}logout-of-${nameOf(of)}`;
  return {
    async noteLogout(of, toldAtMillis, untilMillis) {
      const lifetime = Math.max(1, Math.ceil(untilMillis - now()));
      await connection.run(NOTE_LOGOUT, [keyOf(of)], [toldAtMillis, lifetime]);
    },
    async loggedOutAt(of) {
      const told = await connection.call('GET', keyOf(of));
      return typeof told === 'string' ? Number(told) : undefined;
    },
  };
};

/** An alias holds no bar, so no two pairs have one name. */
const nameOf = (of: SessionsOf): string =>
  'user' in of ? `user:${of.issuer}|${of.user}` : `provider-session:${of.issuer}|${of.providerSessionId}`;

/** Returns undefined of what somebody has spoilt, too: it opens nothing, and its user logs in again. */
function toSession(fields: unknown): Session | undefined {
  const [text, used, version] = fields as readonly (string | null)[];
  if (typeof text !== 'string') return undefined;
  const kept = keptJson(text) as Session | null | undefined;
  const roles = keptRoles(kept?.roles);
  if (kept === undefined || kept === null || roles === undefined) return undefined;
  const { tenant, providerSessionId, refreshAtMillis, sealedTokens, ...session } = kept;
  return {
    ...session,
    ...{ roles, tenant, providerSessionId, refreshAtMillis, sealedTokens },
    usedAtMillis: Number(used),
    version: Number(version),
  };
}
