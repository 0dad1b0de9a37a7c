/**
 * The connection to Redis, made so that a Redis that is missing, dead or silent costs little: the first calls fail after
 * the command timeout, the next ones at once, until it has answered again. Nothing waits in a queue for its return, and
 * nothing that timed out is sent a second time.
 */
import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { type ChannelListeners, listenTo } from './channel.ts';
import { type Argument, openGate, type RedisCall } from './gate.ts';

export interface RedisConnectionOptions {
  /** `redis://` or `rediss://`, with `user:password@` and `/database` where they are needed. */
  readonly url: string;
  /** Before every key and channel. Default `jaaz-gateway:`. */
  readonly keyPrefix?: string;
  /** How long a call may take, in milliseconds. Default 250. */
  readonly commandTimeoutMillis?: number;
  /** Told when Redis has become usable, or unusable and why; never twice the same. */
  readonly onChange?: (usable: boolean, detail: string) => void;
}

/** A Lua script and the digest under which Redis knows it. */
export interface RedisScript {
  readonly source: string;
  readonly digest: string;
}

export interface RedisConnection {
  readonly keyPrefix: string;
  /** Resolves with the reply, or rejects within the command timeout; at once while Redis is not usable. */
  readonly call: RedisCall;
  /** Like `call`. Atomic in Redis; one round trip once Redis knows the script. */
  run(script: RedisScript, keys: readonly string[], args: readonly Argument[]): Promise<unknown>;
  /** `listener` may use Redis before anybody else each time that it has become usable. */
  onUsable(listener: (call: RedisCall) => Promise<void>): void;
  /** Listens to a channel on a connection of its own, until `close`. */
  subscribe(channel: string, listeners: ChannelListeners): void;
  usable(): boolean;
  /** Resolves when the first attempt to connect has come to an end: whether Redis is usable. Never rejects. */
  settled(): Promise<boolean>;
  close(): void;
}

/** Returns a script with its digest. */
export function redisScript(source: string): RedisScript {
  return { source, digest: createHash('sha1').update(source).digest('hex') };
}

/** Returns a connection that connects, and reconnects, by itself; throws a TypeError when the URL is not Redis's. */
export function connectRedis(options: RedisConnectionOptions): RedisConnection {
  const keyPrefix = options.keyPrefix ?? 'jaaz-gateway:';
  const timeoutMillis = options.commandTimeoutMillis ?? 250;
  const client = newClient(options.url, timeoutMillis);
  const gate = openGate(client, { timeoutMillis, onChange: options.onChange ?? (() => undefined) });
  const channels: Array<{ close(): void }> = [];

  async function run(script: RedisScript, keys: readonly string[], args: readonly Argument[]) {
    try {
      return await gate.call('EVALSHA', script.digest, keys.length, ...keys, ...args);
    } catch (cause) {
      if (!(cause instanceof Error && cause.message.startsWith('NOSCRIPT'))) throw cause;
      return await gate.call('EVAL', script.source, keys.length, ...keys, ...args);
    }
  }

  return {
    keyPrefix,
    call: gate.call,
    run,
    onUsable: gate.onUsable,
    subscribe(channel, listeners) {
      channels.push(listenTo(newClient(options.url, timeoutMillis), channel, listeners));
    },
    usable: gate.usable,
    settled: gate.settled,
    close() {
      for (const channel of channels) channel.close();
      client.disconnect();
    },
  };
}

function newClient(url: string, timeoutMillis: number): Redis {
  const parsed = URL.parse(url);
  if (parsed === null || !/^rediss?:$/.test(parsed.protocol) || !/^\/?\d*$/.test(parsed.pathname)) {
    throw new TypeError('the URL of Redis must be redis://HOST[:PORT][/DATABASE] or rediss://...');
  }
  const client = new Redis({
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: Number(parsed.port || 6379),
    db: Number(parsed.pathname.slice(1)),
    ...(parsed.username === '' ? {} : { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password === '' ? {} : { password: decodeURIComponent(parsed.password) }),
    ...(parsed.protocol === 'rediss:' ? { tls: {} } : {}),
    enableAutoPipelining: true,
    // The library's defaults hold commands back while Redis is away, and send again what it did not answer.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    connectTimeout: 1000,
    disconnectTimeout: timeoutMillis,
    // For the handshake. Calls have their own, earlier deadline, which also counts the wait for the pipeline before.
    commandTimeout: timeoutMillis * 2,
    retryStrategy: (times) => Math.min(1000, 50 * 2 ** Math.min(times, 6)) * (0.5 + Math.random() / 2),
    // A master that became a replica: the name may lead to the new master by now.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  // An 'error' without a listener ends the process.
  client.on('error', () => undefined);
  return client;
}
