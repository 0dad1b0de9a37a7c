import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { identifier } from '../src/gateway-sockets.ts';
import type { SocketRule } from '../src/model/event.ts';
import type { Principal } from '../src/model/principal.ts';
import { Rejection } from '../src/model/rejection.ts';
import { canonical } from '../src/server/canonical.ts';
import { eventually } from './support/eventually.ts';
import { scrape } from './support/gauges.ts';
import { chatBody, jaazClient, openEar } from './support/jaaz-client.ts';
import { jaazPolicy } from './support/policies.ts';
import { principalOf } from './support/stages.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
let rule: SocketRule;
/** The events that the policy lists now. */
let listed: SocketRule['deliver'];
beforeAll(async () => {
  const policy = jaazPolicy(['failures: { points: 30', 'failures: { points: 3']);
  rule = policy.sockets[0] as SocketRule;
  listed = rule.deliver;
  const live: SocketRule = {
    ...rule,
    get deliver() {
      return listed;
    },
  };
  world = await startWorld({ policy: { ...policy, sockets: [live] } });
});
afterAll(() => world.close());

test('handshakes that fail are failed authentications', async () => {
  const attempt = async (): Promise<string> =>
    openEar({ url: world.gateway.url, token: 'x.y.z' }).then(
      () => 'connected',
      (error: unknown) => JSON.stringify((error as { data?: unknown }).data ?? String(error)),
    );
  for (let i = 0; i < 3; i += 1) expect(await attempt()).not.toContain('failures-limited');
  await attempt();
  await eventually(() => world.audit().some(({ reason }) => reason === 'failures-limited'));
});

describe('who comes with a handshake', () => {
  const request = canonical({ hosts: undefined, trustedProxies: [] })({
    ...{ method: 'GET', target: '/socket.io/', rawHeaders: ['host', 'a.example'], remoteAddress: '192.0.2.1' },
  });

  const comeWith = async (outcome: Principal | Rejection | Error) => {
    const [asked, failed]: [unknown[][], string[]] = [[], []];
    const identify = identifier({
      authenticator: {
        identify(...given) {
          asked.push(given);
          if (outcome instanceof Error) throw outcome;
          return outcome;
        },
      },
      limit: { failed: async (address) => void failed.push(address) },
    });
    const found = await Promise.resolve(identify(request, 't')).catch((error: unknown) => error);
    return { found, asked, failed };
  };

  test('is judged as strictly as one who changes something, and must show something', async () => {
    const alice = principalOf('alice');
    const { found, asked, failed } = await comeWith(alice);
    expect([found, failed]).toEqual([alice, []]);
    expect(asked).toEqual([[request, 't', { handshake: true, required: true }]]);
  });

  test.each<[Rejection | Error, number]>([
    [new Rejection('token-signature', 'forged'), 1],
    [new Rejection('token-missing', 'nothing'), 0],
    [new Rejection('session-ended', 'a page that was left open'), 0],
    [new Rejection('site-foreign', 'a page of another site'), 0],
    [new Rejection('credentials-differ', 'two'), 0],
    [new Rejection('sessions-unavailable', 'away'), 0],
    [new Error('a bug'), 0],
  ])('and is refused with %s counts as %i failed authentications', async (outcome, times) => {
    const { found, failed } = await comeWith(outcome);
    expect([found, failed]).toEqual([outcome, Array(times).fill('192.0.2.1')]);
  });
});

/** A page of Alice's that has heard something and lost its connection, and what was said since. */
const pageIsAway = async (canvas: string, session: string) => {
  const token = await world.issuer.token('alice');
  const alice = jaazClient({ url: world.gateway.url, token });
  const ear = await openEar({ url: world.gateway.url, token });
  await alice.post('/api/canvas/create', chatBody({ canvas, session, prompt: 'x' }));
  await ear.done(session, 2);
  ear.close();
  const page = io(world.gateway.url, {
    transports: ['websocket'],
    forceNew: true,
    auth: { token, resume: true },
    reconnectionDelay: 10,
    reconnectionDelayMax: 20,
  });
  const texts: unknown[] = [];
  const notices: unknown[] = [];
  page.on('session_update', ({ text }: { text?: unknown }) => void (text !== undefined && texts.push(text)));
  page.on('gateway', (notice) => notices.push(notice));
  const sockets = async () => (await scrape(world.gateway.adminUrl)).value('gateway_sockets');
  await eventually(async () => page.connected && (await sockets()) === 1);
  const say = (text: string): void =>
    world.upstream.broadcast('session_update', { session_id: session, canvas_id: null, type: 'delta', text });
  say('heard');
  await eventually(() => texts.includes('heard'));
  texts.length = 0;
  page.io.reconnection(false);
  page.io.engine.close();
  await eventually(async () => (await sockets()) === 0);
  const kept = async () => (await scrape(world.gateway.adminUrl)).value('gateway_missed_events');
  const before = await kept();
  say('missed');
  await eventually(async () => (await kept()) === before + 1);
  return { page, texts, notices };
};

test('a page that lost its connection is given what it missed, and that is counted', async () => {
  const { page, texts, notices } = await pageIsAway('c1', 's1');
  page.connect();
  await eventually(() => notices.length > 0);
  expect([texts, notices, page.recovered]).toEqual([
    ['missed'],
    [{ type: 'history', recovered: true, missed: 1 }],
    true,
  ]);
  const gauges = await scrape(world.gateway.adminUrl);
  expect(gauges.value('gateway_events_total{outcome="returned",because="recovered"}')).toBe(1);
  expect(gauges.value('gateway_events_total{outcome="replayed",because="none"}')).toBe(1);
  page.disconnect();
});

test('what the policy has ceased to show meanwhile is not given to a page that comes back', async () => {
  const { page, texts, notices } = await pageIsAway('c2', 's2');
  listed = new Map();
  page.connect();
  await eventually(() => notices.length > 0);
  expect([texts, notices]).toEqual([[], [{ type: 'history', recovered: false }]]);
  listed = rule.deliver;
  page.disconnect();
});
