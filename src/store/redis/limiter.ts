/** How often, counted by all replicas together: all limits of a request in one atomic round trip, by Redis's own clock. */
import { judge, paceOf, worstOf } from '../../ratelimit/gcra.ts';
import type { LimitCheck, Limiter, LimitVerdict } from '../../ratelimit/limiter.ts';
import { type RedisConnection, redisScript } from './connect.ts';
import { type FallbackNotice, withFallback } from './fallback.ts';

export interface RedisLimiterOptions {
  readonly connection: RedisConnection;
  /** Counts while Redis is away. */
  readonly fallback: Limiter;
  readonly notice: (notice: FallbackNotice) => void;
}

/**
 * The rule is that of ratelimit/gcra, which also words the verdict: the script returns how far each TAT was ahead, in
 * microseconds. Numbers are written by format: tostring() would round them to fourteen digits.
 */
const TAKE = redisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local recorded = redis.call('MGET', unpack(KEYS))
local spent = {}
local allowed = true
for i = 1, #KEYS do
  local emission, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  spent[i] = math.min(math.max((tonumber(recorded[i] or 0) or 0) - now, 0), burst)
  if spent[i] + emission > burst then allowed = false end
end
if allowed then
  for i = 1, #KEYS do
    local ahead = spent[i] + tonumber(ARGV[2 * i - 1])
    redis.call('SET', KEYS[i], string.format('%.0f', now + ahead), 'PX', string.format('%.0f', math.ceil(ahead / 1000)))
  end
end
return spent
`);

/** Returns a limiter that never rejects because of Redis. */
export function redisLimiter(options: RedisLimiterOptions): Limiter {
  const { connection, fallback } = options;
  const attempt = withFallback(options.notice);

  async function takeRemotely(checks: readonly LimitCheck[]): Promise<LimitVerdict> {
    const paces = checks.map(({ limit }) => paceOf(limit));
    const keys = checks.map(({ limit, key }) => `${connection.keyPrefix}limit:${limit.name}:${key}`);
    const args = paces.flatMap(({ emissionMicros, burstMicros }) => [emissionMicros, burstMicros]);
    const spent = await connection.run(TAKE, keys, args);
    if (!Array.isArray(spent)) throw new TypeError('the limiter script returned no list');
    return worstOf(
      checks.map(({ limit }, index) => ({ limit, verdict: judge(Number(spent[index]), 0, paceOf(limit)) })),
    );
  }

  return {
    take: (checks) =>
      attempt(
        () => takeRemotely(checks),
        () => fallback.take(checks),
      ),
  };
}
