/** Tokens that name keys nobody has, so that each costs the gateway a fetch, or the issuer its availability. */
import type { ServerResponse } from 'node:http';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  authenticator,
  clock,
  issuerSettings,
  keyServer,
  outcome,
  type Signer,
  signer,
} from '../support/token-issuer.ts';

describe('a flood of unknown key ids', () => {
  let key: Signer;
  let flood: readonly string[];
  const opened: { close(): unknown }[] = [];
  beforeAll(async () => {
    key = await signer('k1');
    flood = Array.from({ length: 500 }, (_, index) => key.sign({}, { kid: `unheard-of-${index}` }));
  });
  afterEach(async () => {
    for (const thing of opened.splice(0)) await thing.close();
  });
  const open = async () => {
    const time = clock();
    const server = await keyServer(key.jwk);
    const authn = authenticator([issuerSettings(server.url)], { now: time.now });
    opened.push(authn, server);
    await authn.verify(key.sign());
    expect(server.hits()).toBe(1);
    return { time, server, authn };
  };

  test('costs one fetch within the cool-down', async () => {
    const { server, authn } = await open();
    for (let round = 0; round < 3; round += 1) {
      const outcomes = await Promise.all(flood.map((token) => outcome(authn, token)));
      expect(new Set(outcomes)).toEqual(new Set(['token-key-unknown 401']));
      expect(server.hits()).toBe(2);
    }
  });

  test('costs one fetch for each cool-down, whether they come together or one by one', async () => {
    const { time, server, authn } = await open();
    for (let round = 2; round < 6; round += 1) {
      time.seconds += 30;
      await Promise.all(flood.slice(0, 100).map((token) => outcome(authn, token)));
      for (const token of flood.slice(100, 200)) expect(await outcome(authn, token)).toBe('token-key-unknown 401');
      expect(server.hits()).toBe(round);
    }
  });

  test('costs one fetch for each cool-down when the fetches fail, too', async () => {
    const { time, server, authn } = await open();
    server.answer((response) => response.writeHead(500).end());
    for (let round = 2; round < 5; round += 1) {
      time.seconds += 30;
      await Promise.all(flood.slice(0, 100).map((token) => outcome(authn, token)));
      for (const token of flood.slice(100, 200)) expect(await outcome(authn, token)).toBe('keys-unavailable 503');
      expect(server.hits()).toBe(round);
    }
  });

  test('costs one fetch when there were never any keys', async () => {
    const server = await keyServer();
    server.answer((response) => response.writeHead(500).end());
    const authn = authenticator([issuerSettings(server.url)], { now: clock().now });
    opened.push(authn, server);
    const outcomes = await Promise.all([key.sign(), ...flood].map((token) => outcome(authn, token)));
    expect(new Set(outcomes)).toEqual(new Set(['keys-unavailable 503']));
    expect(server.hits()).toBe(1);
  });

  test('does not keep those waiting whose keys are known', async () => {
    const { time, server, authn } = await open();
    const held: ServerResponse[] = [];
    server.answer((response) => held.push(response));
    time.seconds += 30;
    const waiting = flood.map((token) => outcome(authn, token));
    await vi.waitFor(() => expect(held).toHaveLength(1));
    expect(await outcome(authn, key.sign({ jti: 'meanwhile' }))).toBe('accepted');
    held[0]?.end(JSON.stringify({ keys: [key.jwk] }));
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['token-key-unknown 401']));
    expect(server.hits()).toBe(2);
  });
});
