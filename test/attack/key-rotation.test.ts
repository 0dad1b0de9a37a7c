/**
 * An issuer changes its keys while its tokens are in use. Nobody who shows a valid token is refused, nobody is let in by a
 * key that was withdrawn, and no other issuer's key is taken for one of the same name.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { IssuerSettings } from '../../src/authn/issuer.ts';
import { eventually } from '../support/eventually.ts';
import {
  authenticator,
  clock,
  issuerSettings,
  type KeyServer,
  keyServer,
  NOON,
  outcome,
  type Signer,
  signer,
} from '../support/token-issuer.ts';
import { startWorld, type World } from '../support/world.ts';

const SECOND = 'https://second.test/';
const opened: Array<{ close(): unknown }> = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const serverOf = async (...keys: readonly object[]): Promise<KeyServer> => {
  const server = await keyServer(...keys);
  opened.push(server);
  return server;
};

let made = 0;
/** A token that nobody has seen: what is remembered of others is of no use to it. */
const fresh = (by: Signer, claims: object = {}): string => {
  made += 1;
  return by.sign({ jti: `t${made}`, ...claims });
};

describe('through a whole gateway, under load', () => {
  const settings = (url: string, more: Partial<IssuerSettings> = {}) => issuerSettings(url, more);
  let world: World;
  let one: KeyServer;
  let two: KeyServer;
  let keys: { before: Signer; after: Signer; other: Signer; otherAfter: Signer };
  beforeAll(async () => {
    // Both issuers call their keys the same, before and after.
    keys = {
      before: await signer('1'),
      after: await signer('2'),
      other: await signer('1'),
      otherAfter: await signer('2', 'ES256'),
    };
    one = await keyServer(keys.before.jwk);
    two = await keyServer(keys.other.jwk);
    const issuers = [settings(one.url), settings(two.url, { name: 'second', issuer: SECOND })];
    world = await startWorld({ config: { issuers } });
  }, 30_000);
  afterAll(async () => {
    await world.close();
    await one.close();
    await two.close();
  });

  const times = () => ({ iat: Math.floor(Date.now() / 1000) - 1, exp: Math.floor(Date.now() / 1000) + 600 });
  const ask = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${world.gateway.url}/api/canvas/list`, { headers });
    await response.arrayBuffer();
    return response.status;
  };

  test('not one valid token is refused, from the moment on at which it can exist', async () => {
    const statuses = new Map<number, number>();
    let signing = [keys.before];
    const load = { on: true, rounds: 0 };
    const user = async (): Promise<void> => {
      while (load.on) {
        for (const by of signing) {
          const status = await ask(fresh(by, times()));
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
        const status = await ask(fresh(keys.other, { iss: SECOND, ...times() }));
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        load.rounds += 1;
      }
    };
    const users = Array.from({ length: 8 }, user);
    const moreRounds = (count: number) => {
      const until = load.rounds + count;
      return eventually(() => load.rounds >= until);
    };
    await moreRounds(20);
    one.publish(keys.before.jwk, keys.after.jwk);
    signing = [keys.before, keys.after];
    await moreRounds(40);
    signing = [keys.after];
    await moreRounds(20);
    load.on = false;
    await Promise.all(users);
    expect([...statuses.keys()]).toEqual([200]);
    expect(one.hits()).toBe(2);
    expect(two.hits()).toBe(1);
  });

  test('the key that one issuer has changed to is none of the other’s, which has not', async () => {
    const before = two.hits();
    expect(await ask(fresh(keys.after, { iss: SECOND, ...times() }))).toBe(401);
    expect(await ask(fresh(keys.otherAfter, { iss: SECOND, ...times() }))).toBe(401);
    expect(await ask(fresh(keys.otherAfter, times()))).toBe(401);
    expect(await ask(fresh(keys.other, times()))).toBe(401);
    expect(two.hits()).toBe(before + 1);
  });
});

describe('rotation', () => {
  const open = async (...keys: readonly Signer[]) => {
    const time = clock();
    const server = await serverOf(...keys.map(({ jwk }) => jwk));
    const authn = authenticator([issuerSettings(server.url)], { now: time.now });
    opened.push(authn);
    return { time, server, authn };
  };
  const day = { exp: NOON + 86_400 };

  test('again and again refuses nobody, and costs the issuer one reading each time', async () => {
    const signers = await Promise.all(Array.from({ length: 6 }, (_, index) => signer(`k${index}`)));
    const [first] = signers;
    if (first === undefined) throw new Error('unreachable');
    const { time, server, authn } = await open(first);
    const outcomes: string[] = [await outcome(authn, fresh(first, day))];
    for (const [index, before] of signers.slice(0, -1).entries()) {
      const after = signers[index + 1] ?? before;
      time.seconds += 31;
      server.publish(before.jwk, after.jwk);
      const shown = [before, after, after, before].map((by) => outcome(authn, fresh(by, day)));
      outcomes.push(...(await Promise.all(shown)));
    }
    expect(new Set(outcomes)).toEqual(new Set(['accepted']));
    expect(server.hits()).toBe(signers.length);
  });

  test('ends what a withdrawn key has signed, as soon as that is known, what was verified before included', async () => {
    const [stolen, next] = [await signer('k1'), await signer('k2')];
    const { time, server, authn } = await open(stolen);
    const token = fresh(stolen, day);
    expect(await outcome(authn, token)).toBe('accepted');
    server.publish(next.jwk);
    time.seconds += 30;
    expect(await outcome(authn, fresh(next, day))).toBe('accepted');
    expect(await outcome(authn, token)).toBe('token-key-unknown 401');
  });

  test('to a new key under the old name ends what the old one has signed', async () => {
    const [stolen, next] = [await signer('k1'), await signer('k1')];
    const { time, server, authn } = await open(stolen);
    const token = fresh(stolen, day);
    expect(await outcome(authn, token)).toBe('accepted');
    server.publish(next.jwk, (await signer('k2')).jwk);
    time.seconds += 30;
    // Whatever has the keys read.
    await outcome(authn, fresh(next, { ...day, jti: 'x' }));
    await outcome(authn, fresh(await signer('unheard-of'), day));
    expect(await outcome(authn, fresh(next, day))).toBe('accepted');
    expect(await outcome(authn, token)).toBe('token-signature 401');
  });

  test('two keys under one name in one set are both refused: which is meant cannot be told', async () => {
    const [before, after] = [await signer('k1'), await signer('k1')];
    const { authn } = await open(before, after, await signer('k2'));
    expect(await outcome(authn, fresh(before, day))).toBe('token-key-unknown 401');
    expect(await outcome(authn, fresh(after, day))).toBe('token-key-unknown 401');
  });

  test('under a flood of unknown key ids is noticed within one cool-down, and the old key goes on meanwhile', async () => {
    const [before, after, nobody] = [await signer('k1'), await signer('k2'), await signer('k3')];
    const { time, server, authn } = await open(before);
    const flood = () =>
      Promise.all(Array.from({ length: 50 }, (_, i) => outcome(authn, nobody.sign(day, { kid: `x${i}` }))));
    await flood();
    server.publish(before.jwk, after.jwk);
    for (let second = 0; second < 30; second += 5) {
      await flood();
      expect(await outcome(authn, fresh(before, day))).toBe('accepted');
      time.seconds += 5;
    }
    await flood();
    expect(await outcome(authn, fresh(after, day))).toBe('accepted');
  });
});
