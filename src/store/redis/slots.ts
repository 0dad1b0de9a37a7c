/** How many at once, counted by all replicas together: the members of a key, ordered by the time at which each ends. */
import type { SlotRequest, Slots } from '../../ratelimit/slots.ts';
import { type RedisConnection, redisScript } from './connect.ts';
import { type FallbackNotice, withFallback } from './fallback.ts';

export interface RedisSlotsOptions {
  readonly connection: RedisConnection;
  /** Counts while Redis is away; it is told of all that this replica let in. */
  readonly fallback: Slots;
  readonly notice: (notice: FallbackNotice) => void;
}

const ACQUIRE = redisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local member, max, timeout = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if not redis.call('ZSCORE', KEYS[1], member) and redis.call('ZCARD', KEYS[1]) >= max then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + timeout), member)
if redis.call('PTTL', KEYS[1]) < timeout then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1
`);

/** Returns slots that never reject because of Redis. */
export function redisSlots(options: RedisSlotsOptions): Slots {
  const { connection, fallback } = options;
  const attempt = withFallback(options.notice);
  const keyOf = (key: string): string => `${connection.keyPrefix}slots:${key}`;

  async function acquireRemotely(request: SlotRequest): Promise<boolean> {
    const { key, member, max, timeoutMillis } = request;
    const acquired = (await connection.run(ACQUIRE, [keyOf(key)], [member, max, timeoutMillis])) === 1;
    // So that this replica's own runs count when Redis goes away.
    if (acquired) await fallback.acquire({ ...request, max: Number.MAX_SAFE_INTEGER });
    return acquired;
  }

  return {
    acquire: (request) =>
      attempt(
        () => acquireRemotely(request),
        () => fallback.acquire(request),
      ),
    async release(key, member) {
      await fallback.release(key, member);
      // Where this is lost, the slot ends with its time.
      await attempt(
        () => connection.call('ZREM', keyOf(key), member),
        () => undefined,
      );
    },
  };
}
