/** Sessions, the public address, and the signed word to the upstream. */
import { describe, expect, test } from 'vitest';
import { configFile } from '../support/config-file.ts';

const { configOf, faultsOf, issuers } = configFile();

describe('sessions', () => {
  const LONG = 'x'.repeat(32);

  test('are kept in the ledger, or in Redis where there is one', () => {
    const redis = 'redis: { url: redis://r }\n';
    expect(configOf(issuers).sessions.store).toBe('ledger');
    expect(configOf(issuers + redis).sessions.store).toBe('redis');
    expect(configOf(`${issuers}${redis}sessions: { store: ledger }`).sessions.store).toBe('ledger');
    expect(
      configOf(`${issuers}sessions: { store: redis }`, { JAAZ_GATEWAY_REDIS_URL: 'redis://r' }).sessions.store,
    ).toBe('redis');
    expect(faultsOf(`${issuers}sessions: { store: redis }`)).toEqual([
      'sessions cannot be kept in Redis: none is configured (found redis, expected ledger, or a redis.url)',
    ]);
  });

  test('last as long as is said, and are not idle for longer', () => {
    expect(configOf(`${issuers}sessions: { idle: 5m, lifetime: 1h }`).sessions).toMatchObject({
      idleMillis: 300_000,
      lifetimeMillis: 3_600_000,
    });
    expect(faultsOf(`${issuers}sessions: { idle: 2h, lifetime: 1h }`)).toEqual([
      'a session would end before it could be idle for so long (found 2h, expected at most 1h)',
    ]);
    expect(faultsOf(`${issuers}sessions: { idle: 1s }`)[0]).toMatch(/from 1m to 366d/);
  });

  test('are sealed with secrets that are long enough, of which no fault tells anything', () => {
    const variables = { JAAZ_GATEWAY_SESSION_SECRET: `${LONG}, ${LONG}2` };
    expect(configOf(issuers, variables).sessions.secrets).toEqual([LONG, `${LONG}2`]);
    expect(configOf(`${issuers}sessions: { secret: ${LONG} }`).sessions.secrets).toEqual([LONG]);
    expect(faultsOf(`${issuers}sessions: { secret: env }`)).toEqual([
      'the environment holds no secret (expected the variable JAAZ_GATEWAY_SESSION_SECRET)',
    ]);
    const short = faultsOf(`${issuers}sessions: { secret: hunter2 }`);
    expect(short).toEqual(['a secret is too short (expected secrets of 32 bytes or more, with commas between them)']);
    expect(faultsOf(issuers, { JAAZ_GATEWAY_SESSION_SECRET: `${LONG},` })[0]).toMatch(/^JAAZ_GATEWAY_SESSION_SECRET/);
  });
});

describe('the public address and the signed word', () => {
  test('arrive', () => {
    const config = configOf(
      `${issuers}listen: { url: https://jaaz.example.com }\nupstream: { url: http://up:1, assertion: { header: X-Who-Calls, algorithm: EdDSA, audience: a, lifetime: 30s, rotate: 7d } }`,
    );
    expect(config.listen.url).toBe('https://jaaz.example.com');
    expect(config.upstream.assertion).toEqual({
      header: 'x-who-calls',
      algorithm: 'EdDSA',
      audience: 'a',
      lifetimeMillis: 30_000,
      rotateMillis: 604_800_000,
    });
    expect(configOf(`${issuers}upstream: { url: http://up:1, assertion: {} }`).upstream.assertion).toEqual({
      header: 'x-jaaz-assertion',
      algorithm: 'ES256',
      audience: 'jaaz',
      lifetimeMillis: 60_000,
      rotateMillis: 2_592_000_000,
    });
  });

  test.each(['https://x/', 'https://x/path', 'http://x.example.com', 'x', 'https://u:p@x'])(
    'are refused in another form: %s',
    (url) => {
      expect(faultsOf(`${issuers}listen: { url: '${url}' }`)[0]).toMatch(/an origin such as/);
    },
  );

  test.each(['Authorization', 'X-User-Id', 'X-Forwarded-For', 'X-Request-Id', 'X', 'X-Real-Ip', 'X-A\tB'])(
    'do not stand in a header that means something else: %s',
    (header) => {
      expect(faultsOf(`${issuers}upstream: { url: http://up:1, assertion: { header: "${header}" } }`)[0]).toMatch(
        /a header of its own/,
      );
    },
  );
});
