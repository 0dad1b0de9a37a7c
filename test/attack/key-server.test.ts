/**
 * The server of an issuer's keys is down, slow, or lies. Nobody is let in by what it says then, nobody is blamed for it, and
 * the other issuers' users notice nothing. Through a whole gateway, each lie as an issuer of its own.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { IssuerSettings } from '../../src/authn/issuer.ts';
import { keyLies } from '../support/hostile-keys.ts';
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

const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const servers: KeyServer[] = [];
const opened: Array<{ close(): unknown }> = [];
let honest: Signer;
let forger: Signer;
let attacker: KeyServer;
let lies: ReturnType<typeof keyLies>;
beforeAll(async () => {
  honest = await signer('k1');
  forger = await signer('forged');
  attacker = await keyServer(forger.jwk, honest.jwk);
  lies = keyLies([honest.jwk], attacker.url);
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
afterAll(async () => {
  for (const server of [attacker, ...servers]) await server.close();
});

const lying = async (lie: string): Promise<KeyServer> => {
  const server = await keyServer(honest.jwk);
  servers.push(server);
  const answer = lies[lie];
  if (answer !== undefined) server.answer(answer);
  return server;
};

const issuer = (name: string, url: string): IssuerSettings =>
  issuerSettings(url, { name, issuer: `https://${name}.test/` });

const tokenOf = (name: string, by: Signer = honest): string => {
  const times = { iat: nowSeconds() - 10, exp: nowSeconds() + 3600 };
  return by.sign({ iss: `https://${name}.test/`, ...times });
};

describe('a gateway, one of whose issuers has a key server that', () => {
  let world: World;
  const names = new Map<string, string>();
  const honestServers = new Map<string, KeyServer>();
  beforeAll(async () => {
    const issuers = [issuer('good', (await lying('')).url)];
    const gone = await keyServer();
    await gone.close();
    issuers.push(issuer('gone', gone.url));
    names.set('is gone', 'gone');
    for (const [index, lie] of Object.keys(lies).entries()) {
      names.set(lie, `lie-${index}`);
      issuers.push(issuer(`lie-${index}`, (await lying(lie)).url));
      const turning = await lying('');
      honestServers.set(lie, turning);
      issuers.push(issuer(`turn-${index}`, turning.url));
    }
    world = await startWorld({ config: { issuers } });
  }, 30_000);
  afterAll(() => world.close());

  const ask = async (token: string) => {
    const response = await fetch(`${world.gateway.url}/api/canvas/list`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { code } = (await response.json()) as { code?: string };
    return { status: response.status, code, retryAfter: response.headers.get('retry-after') };
  };
  const UNAVAILABLE = { status: 503, code: 'keys-unavailable', retryAfter: '30' };
  const all = () => ['is gone', ...Object.keys(lies)];

  test('says the truth lets its users in', async () => {
    expect(await ask(tokenOf('good'))).toMatchObject({ status: 200 });
  });

  test('never said anything good, refuses good and forged tokens with 503, and nothing reaches the upstream', async () => {
    const before = world.upstream.requests.length;
    const answers = await Promise.all(
      all().map(async (lie) => {
        const name = names.get(lie) ?? '';
        return [lie, await ask(tokenOf(name)), await ask(tokenOf(name, forger))];
      }),
    );
    expect(answers).toEqual(all().map((lie) => [lie, UNAVAILABLE, UNAVAILABLE]));
    expect(world.upstream.requests.length).toBe(before);
    expect(attacker.hits()).toBe(0);
    expect(await ask(tokenOf('good'))).toMatchObject({ status: 200 });
  });

  test('turns to that lets in whom it let in before, and blames nobody for a key that is new', async () => {
    const turns = [...honestServers].map(([lie, server], index) => ({ lie, server, name: `turn-${index}` }));
    for (const { name } of turns) expect(await ask(tokenOf(name))).toMatchObject({ status: 200 });
    for (const { lie, server } of turns) server.answer(lies[lie] ?? (() => undefined));
    const answers = await Promise.all(
      turns.map(async ({ lie, name }) => {
        const unknown = ask(tokenOf(name, forger));
        return [lie, (await ask(tokenOf(name))).status, await unknown, (await ask(tokenOf(name))).status];
      }),
    );
    expect(answers).toEqual(turns.map(({ lie }) => [lie, 200, UNAVAILABLE, 200]));
    expect(attacker.hits()).toBe(0);
  });

  test('lies is told to the operator: degraded, not down', async () => {
    const response = await fetch(`${world.gateway.adminUrl}/readyz`);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('degraded');
  });
});

describe('keys that are older than the bound', () => {
  test('let nobody in, neither whose token was verified before nor anybody else, until there are newer ones', async () => {
    const server = await keyServer(honest.jwk);
    servers.push(server);
    const time = clock();
    const authn = authenticator([issuerSettings(server.url)], {
      now: time.now,
      keyTimes: { staleMillis: 3_600_000 },
    });
    opened.push(authn);
    const lasting = honest.sign({ exp: NOON + 86_400 });
    expect(await outcome(authn, lasting)).toBe('accepted');
    server.answer((response) => void response.writeHead(500).end());
    time.seconds += 3599;
    expect(await outcome(authn, lasting)).toBe('accepted');
    time.seconds += 1;
    expect(await outcome(authn, lasting)).toBe('keys-unavailable 503');
    expect(await outcome(authn, honest.sign({ exp: NOON + 86_400, jti: 'other' }))).toBe('keys-unavailable 503');
    server.publish(honest.jwk);
    time.seconds += 30;
    expect(await outcome(authn, lasting)).toBe('accepted');
  });
});
