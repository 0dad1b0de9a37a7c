/**
 * How often, counted by all replicas together, by Redis's own clock. What is asked in one turn of the event loop by the
 * same limits goes out as one script: a round trip costs several times what counting does.
 */
import type { RateLimit } from '../../model/limits.ts';
import { judge, type Pace, paceOf, worstOf } from '../../ratelimit/gcra.ts';
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
 * microseconds. It judges one asker after the other, each by all of the limits: their keys stand side by side. Numbers are
 * written by format: tostring() would round them to fourteen digits. MGET, because GET fails at a key that holds another
 * kind of value: all who are asked about together with it would, and it would never expire.
 */
const TAKE = redisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local width = math.max(#ARGV / 2, 1)
local spent = {}
for first = 1, #KEYS, width do
  local allowed = true
  for i = 1, width do
    local at = first + i - 1
    local emission, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local recorded = tonumber(redis.call('MGET', KEYS[at])[1] or 0) or 0
    spent[at] = math.min(math.max(recorded - now, 0), burst)
    if spent[at] + emission > burst then allowed = false end
  end
  if allowed then
    for i = 1, width do
      local at = first + i - 1
      local ahead = spent[at] + tonumber(ARGV[2 * i - 1])
      redis.call('SET', KEYS[at], string.format('%.0f', now + ahead), 'PX', string.format('%.0f', math.ceil(ahead / 1000)))
    end
  end
end
return spent
`);

/** So many askers at a time, that they do not hold up Redis. */
const MAX_ASKERS = 128;

/** Those who are judged by the same limits. */
interface Group {
  readonly limits: readonly RateLimit[];
  readonly askers: Asker[];
}

interface Asker {
  readonly checks: readonly LimitCheck[];
  readonly resolve: (verdict: LimitVerdict) => void;
  readonly reject: (error: unknown) => void;
}

/** Returns a limiter that never rejects because of Redis. */
export function redisLimiter({ connection, fallback, notice }: RedisLimiterOptions): Limiter {
  const attempt = withFallback(notice);
  let groups: Group[] = [];

  async function ask({ limits, askers }: Group): Promise<void> {
    try {
      const paces = limits.map(paceOf);
      const keys = askers.flatMap(({ checks }) =>
        checks.map(({ limit, key }) => `${connection.keyPrefix}limit:${limit.name}:${key}`),
      );
      const args = paces.flatMap(({ emissionMicros, burstMicros }) => [emissionMicros, burstMicros]);
      const spent = await connection.run(TAKE, keys, args);
      if (!Array.isArray(spent) || spent.length !== keys.length)
        throw new TypeError('the limiter script returned no list');
      const { length } = limits;
      askers.forEach(({ checks, resolve }, index) => {
        resolve(verdictOf(checks, paces, spent.slice(index * length, (index + 1) * length)));
      });
    } catch (error) {
      for (const { reject } of askers) reject(error);
    }
  }

  function askAll(): void {
    const asking = groups;
    groups = [];
    for (const group of asking) void ask(group);
  }

  function join(asker: Asker): void {
    // All who come in this turn are called one after the other, and what they leave behind them is called then.
    if (groups.length === 0) queueMicrotask(askAll);
    const group = groups.find(({ limits, askers }) => askers.length < MAX_ASKERS && isBy(limits, asker.checks));
    if (group === undefined) groups.push({ limits: asker.checks.map(({ limit }) => limit), askers: [asker] });
    else group.askers.push(asker);
  }

  return {
    take: (checks) =>
      attempt(
        () => new Promise<LimitVerdict>((resolve, reject) => join({ checks, resolve, reject })),
        () => fallback.take(checks),
      ),
  };
}

const isBy = (limits: readonly RateLimit[], checks: readonly LimitCheck[]): boolean =>
  limits.length === checks.length && checks.every(({ limit }, index) => limit === limits[index]);

const verdictOf = (checks: readonly LimitCheck[], paces: readonly Pace[], spent: readonly unknown[]): LimitVerdict =>
  worstOf(
    checks.map(({ limit }, index) => {
      const pace = paces[index] ?? paceOf(limit);
      return { limit, verdict: judge(Number(spent[index]), 0, pace) };
    }),
  );
