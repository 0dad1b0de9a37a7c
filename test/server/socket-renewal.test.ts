import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/model/json.ts';
import type { Rollout } from '../../src/model/mode.ts';
import type { Principal } from '../../src/model/principal.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { RENEWAL, renew } from '../../src/server/socket-renewal.ts';
import { openLink } from '../support/open-link.ts';
import { identifyByTable, principal } from '../support/socket-door.ts';

const SHADOW: Rollout = { mode: 'shadow', cohorts: [] };
const UNTIL = 1_060_000;
const LATER = 1_090_000;
const alice = principal('alice', UNTIL);
const event = { name: 'session_update', payload: {} };

const TOKENS = new Map([
  ['later', principal('alice', LATER)],
  ['over', principal('alice', 1_000_000)],
  ['bob', principal('bob', LATER)],
]);

const identify = identifyByTable(TOKENS);

/** The event as it comes from a client, waiting for an acknowledgement or not. */
const shows = (token: JsonValue, id?: number) => ({ args: [RENEWAL, { token }], attachments: [], id });

const INVALID = { code: 'packet-invalid', message: 'The packet is malformed.' };
const refused = (code: string, message: string) =>
  `2${JSON.stringify([RENEWAL, { status: 'refused', code, message }])}`;
const RENEWED = `2["auth",{"status":"renewed","expiresAtMillis":${LATER}}]`;

describe('a later token of the same owner', () => {
  test('takes the place of the one before, which is answered and recorded', async () => {
    const { door, link, clock, watched, records, sent, closes } = openLink({ principal: alice, identify });
    await renew(door, link, shows('later'));
    expect(sent).toEqual([RENEWED]);
    expect(records).toMatchObject([
      { kind: 'socket', outcome: 'allowed', detail: 'renewed', owner: 'demo|alice', reason: undefined },
    ]);
    expect([link.principal, watched.size]).toEqual([TOKENS.get('later'), 1]);
    clock.now = UNTIL;
    watched.tick();
    expect(closes).toEqual([]);
    clock.now = LATER;
    watched.tick();
    expect(closes).toEqual([[4401, 'authority-expired']]);
  });

  test('is acknowledged where the client waits for that, and there alone', async () => {
    const { door, link, sent } = openLink({ principal: alice, identify });
    await renew(door, link, shows('later', 7));
    await renew(door, link, shows('forged', 8));
    expect(sent).toEqual([
      `37[{"status":"renewed","expiresAtMillis":${LATER}}]`,
      '38[{"status":"refused","code":"token-signature","message":"The access token is not valid."}]',
    ]);
  });

  test('interrupts nothing: the socket keeps its seat', async () => {
    const { door, link } = openLink({ principal: alice, identify });
    const { seat } = link;
    await renew(door, link, shows('later'));
    expect([link.seat, door.channels.send('demo|alice', event, [])]).toEqual([seat, 1]);
  });

  test('with other roles puts the socket into the cohort of those', async () => {
    const pilot = { ...principal('alice', LATER), roles: ['pilot'] } as Principal;
    const rollout: Rollout = {
      mode: 'enforce',
      cohorts: [{ name: 'pilots', mode: 'shadow', has: ({ roles }) => roles.includes('pilot') }],
    };
    const { door, link, records } = openLink({ principal: alice, identify: () => pilot, rollout });
    expect(door.channels.broadcast(event)).toBe(0);
    await renew(door, link, shows('later'));
    expect([door.channels.broadcast(event), records[0]?.mode]).toEqual([1, 'shadow']);
  });
});

describe('is refused, and the authority that there was goes on', () => {
  test.each<[string, JsonValue, string, string]>([
    ['a forged token', 'forged', 'token-signature', 'The access token is not valid.'],
    ['one that is over', 'over', 'token-expired', 'The access token has expired.'],
    ['another’s', 'bob', 'token-other-owner', 'The access token is of another user.'],
  ])('%s', async (_, token, code, message) => {
    const { door, link, clock, watched, records, sent, closes } = openLink({ principal: alice, identify });
    await renew(door, link, shows(token));
    expect(sent).toEqual([refused(code, message)]);
    expect(records).toMatchObject([{ kind: 'socket', outcome: 'refused', reason: code, owner: 'demo|alice' }]);
    expect([link.principal, watched.size, door.channels.send('demo|alice', event, [])]).toEqual([alice, 1, 1]);
    clock.now = UNTIL;
    watched.tick();
    expect(closes).toEqual([[4401, 'authority-expired']]);
  });

  test.each<[string, readonly JsonValue[]]>([
    ['nothing', []],
    ['the bare token', ['later']],
    ['a list', [['later']]],
    ['null', [null]],
    ['no token', [{}]],
    ['an empty token', [{ token: '' }]],
    ['a token that is no text', [{ token: { token: 'later' } }]],
    ['something beside the token', [{ token: 'later', owner: 'demo|bob' }]],
    ['a second argument', [{ token: 'later' }, 1]],
  ])('%s is no renewal', async (_, args) => {
    const verified: string[] = [];
    const look = (_request: unknown, token = ''): Principal => {
      verified.push(token);
      return alice;
    };
    const { door, link, sent, records } = openLink({ principal: alice, identify: look });
    await renew(door, link, { args: [RENEWAL, ...args], attachments: [], id: undefined });
    expect([sent, verified]).toEqual([[refused(INVALID.code, INVALID.message)], []]);
    expect(records).toMatchObject([{ reason: 'packet-invalid', status: 400 }]);
  });

  test('nor is one with an attachment', async () => {
    const { door, link, sent } = openLink({ principal: alice, identify });
    await renew(door, link, { ...shows('later'), attachments: [Buffer.of(1)] });
    expect(sent).toEqual([refused(INVALID.code, INVALID.message)]);
  });

  test('a fifth time in a row, and the connection ends', async () => {
    const { door, link, sent, records, closes } = openLink({ principal: alice, identify });
    for (let i = 0; i < 5; i += 1) await renew(door, link, shows('forged'));
    expect([sent.length, link.ended, closes[0]]).toEqual([4, true, [4401, 'token-signature']]);
    expect(records.at(-1)).toMatchObject({ outcome: 'refused', detail: 'too many refused renewals' });
    expect(door.channels.send('demo|alice', event, [])).toBe(0);
  });

  test('four times, and counts anew after one that was good', async () => {
    const { door, link } = openLink({ principal: alice, identify });
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 4; i += 1) await renew(door, link, shows('forged'));
      await renew(door, link, shows('later'));
    }
    expect(link.ended).toBe(false);
  });

  test('without being counted where that is our fault', async () => {
    const down = (): never => {
      throw new Rejection('keys-unavailable', 'the key server is down');
    };
    const { door, link, sent, records } = openLink({ principal: alice, identify: down });
    for (let i = 0; i < 9; i += 1) await renew(door, link, shows('later'));
    expect([link.ended, sent.length]).toEqual([false, 9]);
    expect(records[0]).toMatchObject({ outcome: 'failed', reason: 'keys-unavailable' });
  });

  test('a token is in no record and in no answer', async () => {
    const { door, link, sent, records } = openLink({ principal: alice, identify });
    await renew(door, link, shows('secret-forged'));
    await renew(door, link, { args: [RENEWAL, 'secret-bare'], attachments: [], id: undefined });
    expect(JSON.stringify([sent, records])).not.toContain('secret');
  });
});

/** A verification that ends when it is told to. */
const slow = () => {
  const { promise, resolve, reject } = Promise.withResolvers<Principal>();
  let calls = 0;
  const identify = (): Promise<Principal> => {
    calls += 1;
    return promise;
  };
  return { identify, calls: () => calls, resolve, reject };
};

describe('while a token is verified', () => {
  test('a second one is refused without being looked at', async () => {
    const judge = slow();
    const { door, link, sent } = openLink({ principal: alice, identify: judge.identify });
    const first = renew(door, link, shows('later', 1));
    await renew(door, link, shows('later', 2));
    expect([judge.calls(), sent]).toEqual([1, [expect.stringMatching(/^32\[.*"rate-limited"/)]]);
    judge.resolve(principal('alice', LATER));
    await first;
    await renew(door, link, shows('later', 3));
    expect([judge.calls(), sent.length]).toEqual([2, 3]);
  });

  test('the end of the one before ends the socket, which is then left alone', async () => {
    const judge = slow();
    const { door, link, clock, watched, records, sent, closes } = openLink({
      principal: alice,
      identify: judge.identify,
    });
    const renewing = renew(door, link, shows('later'));
    clock.now = UNTIL;
    watched.tick();
    judge.resolve(principal('alice', LATER));
    await renewing;
    expect([closes, sent, watched.size]).toEqual([[[4401, 'authority-expired']], [], 0]);
    expect(records.map(({ reason }) => reason)).toEqual(['authority-expired']);
    expect(door.channels.size).toBe(0);
  });

  test('a client that leaves is left alone, also when the token was bad', async () => {
    for (const end of [true, false]) {
      const judge = slow();
      const { door, link, records, sent } = openLink({ principal: alice, identify: judge.identify });
      const renewing = renew(door, link, shows('later'));
      link.duplex.destroy();
      if (end) judge.resolve(principal('alice', LATER));
      else judge.reject(new Rejection('token-signature', 'forged'));
      await renewing;
      expect([sent, records, link.principal]).toEqual([[], [], alice]);
    }
  });
});

describe('somebody unknown, where the policy is not in effect', () => {
  test('becomes who the token says, hears that owner’s events, and ends with the token', async () => {
    const rollout: Rollout = {
      mode: 'shadow',
      cohorts: [{ name: 'a', mode: 'enforce', has: ({ owner }) => owner === 'demo|alice' }],
    };
    const { door, link, clock, watched, records, closes } = openLink({ identify, rollout });
    expect(door.channels.send('demo|alice', event, [])).toBe(0);
    await renew(door, link, shows('later'));
    expect([door.channels.send('demo|alice', event, []), door.channels.broadcast({ ...event, payload: {} })]).toEqual([
      1, 0,
    ]);
    expect(records).toMatchObject([{ outcome: 'allowed', detail: 'renewed', owner: 'demo|alice' }]);
    clock.now = LATER;
    watched.tick();
    expect(closes).toEqual([[4401, 'authority-expired']]);
  });

  test('stays unknown when that owner has as many sockets as may be', async () => {
    const { door, link, sent } = openLink({ identify, rollout: SHADOW, maxSocketsPerOwner: 1 });
    door.byOwner.take('demo|alice');
    await renew(door, link, shows('later'));
    expect([link.principal, sent]).toEqual([undefined, [expect.stringContaining('"sockets-limited"')]]);
    expect([door.channels.send('demo|alice', event, []), door.channels.broadcast(event)]).toEqual([0, 1]);
  });

  test('whom a limit would have refused at the door is refused where the policy is in effect', async () => {
    const rollout: Rollout = {
      mode: 'shadow',
      cohorts: [{ name: 'a', mode: 'enforce', has: ({ owner }) => owner === 'demo|alice' }],
    };
    const { door, link, sent } = openLink({ identify, rollout });
    link.limited = new Rejection('rate-limited', 'too many from there');
    await renew(door, link, shows('later'));
    expect([link.principal, sent]).toEqual([undefined, [expect.stringContaining('"rate-limited"')]]);
    await renew(door, link, shows('bob'));
    expect(link.principal).toMatchObject({ owner: 'demo|bob' });
  });

  test('is ended for nothing that was before, when the policy comes into effect', async () => {
    const { door, link } = openLink({ identify, rollout: SHADOW });
    await renew(door, link, shows('later'));
    expect(link.denials).toEqual([]);
  });
});

describe('a session that polls', () => {
  test('takes no token of another than who opened it', async () => {
    const polled = { principal: alice, denial: undefined };
    const { door, link, sent } = openLink({ principal: alice, polled, identify });
    await renew(door, link, shows('bob'));
    await renew(door, link, shows('later'));
    expect(sent).toEqual([refused('token-other-owner', 'The access token is of another user.'), RENEWED]);
  });

  test('stays nobody’s when nobody opened it: whoever knows its id could take what it hears', async () => {
    const polled = { principal: undefined, denial: undefined };
    const { door, link, sent } = openLink({ polled, identify, rollout: SHADOW });
    await renew(door, link, shows('later'));
    expect([link.principal, sent]).toEqual([undefined, [expect.stringContaining('"token-other-owner"')]]);
    expect(door.channels.send('demo|alice', event, [])).toBe(0);
  });
});
