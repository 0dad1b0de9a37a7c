import { afterEach, describe, expect, test } from 'vitest';
import { apiKeyDigest, newApiKey } from '../../src/authn/api-key-text.ts';
import type { ApiKeyNotice, ApiKeyStore } from '../../src/authn/api-keys.ts';
import { memoryApiKeys } from '../../src/store/memory/api-keys.ts';
import { DAY, keptKey, openKeys, wanted } from '../support/api-keys.ts';
import { eventually } from '../support/eventually.ts';
import { NO_TERMS, NOON_MILLIS } from '../support/revocations.ts';
import { outcome, rejectionOf } from '../support/token-issuer.ts';

const ends: Array<() => void> = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const open = async (...given: Parameters<typeof openKeys>) => {
  const opened = await openKeys(...given);
  ends.push(opened.end);
  return opened;
};

interface Shaky extends ApiKeyStore {
  /** What reads and writes reject with from now on; undefined: they do not. */
  fault: Error | undefined;
  /** Another process has changed something. */
  news(): void;
}

const shaky = (store = memoryApiKeys()): Shaky => {
  const listeners: Array<() => void> = [];
  const sound = async <T>(work: () => Promise<T>): Promise<T> => {
    if (self.fault) throw self.fault;
    return work();
  };
  const self: Shaky = {
    fault: undefined,
    news() {
      for (const listener of listeners) listener();
    },
    all: () => sound(store.all),
    add: (key, most) => sound(() => store.add(key, most)),
    remove: (id) => sound(() => store.remove(id)),
    purge: (before) => sound(() => store.purge(before)),
    onChange: (listener) => void listeners.push(listener),
  };
  return self;
};

describe('a key that was made', () => {
  test('says whose it is at once: the account, its roles, and until when', async () => {
    const { keys } = await open();
    const { key, text } = await keys.make(wanted({ account: 'ci', roles: ['admin', 'reader'], note: 'builds' }));
    expect(keys.reads(text)).toBe(true);
    expect(keys.verify(text)).toEqual({
      ...{ owner: 'service|ci', issuer: 'service', user: 'ci', roles: ['admin', 'reader'], tenant: undefined },
      ...{ tokenId: key.id, sessionId: undefined },
      ...{ issuedAtMillis: NOON_MILLIS, expiresAtMillis: NOON_MILLIS + 90 * DAY },
    });
    expect(keys.list()).toEqual([
      { ...wanted({ roles: ['admin', 'reader'], note: 'builds' }), id: key.id, madeAtMillis: NOON_MILLIS },
    ]);
  });

  test('is kept as a digest only', async () => {
    const store = memoryApiKeys();
    const { keys } = await open(store);
    const { text } = await keys.make(wanted());
    const rows = JSON.stringify(await store.all());
    expect(rows).toContain(apiKeyDigest(text).toString('base64url'));
    expect(rows).not.toContain(text.slice(17, 60));
    expect(JSON.stringify(keys.list())).not.toContain(apiKeyDigest(text).toString('base64url'));
  });

  test('shares what its account owns with the account’s other key, under an id of its own', async () => {
    const { keys } = await open();
    const [one, two] = [await keys.make(wanted()), await keys.make(wanted())];
    expect(keys.verify(one.text).owner).toBe(keys.verify(two.text).owner);
    expect(keys.verify(one.text).tokenId).not.toBe(keys.verify(two.text).tokenId);
  });

  test('ends with its time, to the millisecond, and is listed on', async () => {
    const time = { millis: NOON_MILLIS };
    const { keys } = await open(memoryApiKeys(), { now: () => time.millis });
    const { text } = await keys.make(wanted({ expiresAtMillis: NOON_MILLIS + 1000 }));
    time.millis += 999;
    expect(await outcome(keys, text)).toBe('accepted');
    time.millis += 1;
    expect(await outcome(keys, text)).toBe('token-expired 401');
    expect(keys.list()).toHaveLength(1);
  });

  test('cannot be changed by whoever received its principal', async () => {
    const { keys } = await open();
    const { text } = await keys.make(wanted());
    const principal = keys.verify(text);
    expect(() => Array.prototype.push.call(principal.roles, 'admin')).toThrow(TypeError);
    expect(() => Object.assign(principal, { owner: 'service|root' })).toThrow(TypeError);
    expect(keys.verify(text)).toMatchObject({ owner: 'service|ci', roles: [] });
  });
});

describe('what is no key', () => {
  test('is refused: misspelt, of no known id, and with the secret of another', async () => {
    const { keys } = await open();
    const { text } = await keys.make(wanted());
    expect(await outcome(keys, `${text.slice(0, -1)}x`)).toBe('token-malformed 401');
    expect(await outcome(keys, newApiKey().text)).toBe('token-key-unknown 401');
  });

  test('is not told apart from a key with a wrong secret', async () => {
    const mine = newApiKey();
    const other = newApiKey();
    const store = memoryApiKeys();
    await store.add(keptKey({ id: mine.id, digest: apiKeyDigest(other.text).toString('base64url') }), 10);
    const { keys } = await open(store);
    const [wrong, unknown] = [
      await rejectionOf(() => keys.verify(mine.text)),
      await rejectionOf(() => keys.verify(other.text)),
    ];
    expect([wrong.reason, wrong.headers]).toEqual([unknown.reason, unknown.headers]);
    expect(wrong.message).toBe(`not the secret of the API key ${mine.id}`);
    expect(`${wrong.message}${unknown.message}`).not.toContain(mine.text.slice(17));
  });
});

describe('revoking', () => {
  test('ends the key, and says it to everybody as a revocation that lasts as long as the key would have', async () => {
    const store = memoryApiKeys();
    const { keys, revocations } = await open(store);
    revocations.onRevoked(() => 3);
    const { key, text } = await keys.make(wanted());
    const principal = keys.verify(text);
    expect(await keys.revoke(key.id)).toEqual({ key, ended: 3 });
    expect(revocations.list()).toMatchObject([
      { by: 'token', issuer: 'service', tokenId: key.id, untilMillis: key.expiresAtMillis },
    ]);
    expect(revocations.revokes(principal)).toBe('token-revoked');
    expect([await outcome(keys, text), keys.list(), await store.all()]).toEqual(['token-key-unknown 401', [], []]);
    expect(await keys.revoke(key.id)).toBeUndefined();
    expect(revocations.list()).toHaveLength(1);
  });

  test('leaves the account’s other key', async () => {
    const { keys, revocations } = await open();
    const [one, two] = [await keys.make(wanted()), await keys.make(wanted())];
    await keys.revoke(one.key.id);
    expect(revocations.revokes(keys.verify(two.text))).toBeUndefined();
  });

  test('the account’s keys does not reach the one that is made a moment later', async () => {
    const time = { millis: NOON_MILLIS + 300 };
    const { keys, revocations } = await open(memoryApiKeys(), { now: () => time.millis });
    const before = await keys.make(wanted());
    await revocations.add({ by: 'user', issuer: 'service', user: 'ci', ...NO_TERMS });
    time.millis += 1;
    const after = await keys.make(wanted());
    expect(revocations.revokes(keys.verify(before.text))).toBe('token-revoked');
    expect(revocations.revokes(keys.verify(after.text))).toBeUndefined();
  });

  test('what was issued before a moment that is still ahead does not reach the one that is made now', async () => {
    const { keys, revocations } = await open();
    const before = await keys.make(wanted());
    const beforeMillis = before.key.madeAtMillis + 600_000;
    await revocations.add({ by: 'issued-before', issuer: undefined, beforeMillis, ...NO_TERMS });
    const after = await keys.make(wanted());
    expect(revocations.revokes(keys.verify(before.text))).toBe('token-revoked');
    expect(revocations.revokes(keys.verify(after.text))).toBeUndefined();
  });

  test('that cannot be written down is refused with 503; the key is refused all the same once anybody was told', async () => {
    const store = shaky();
    const { keys, revocations } = await open(store);
    const { key, text } = await keys.make(wanted());
    const principal = keys.verify(text);
    store.fault = new Error('disk full');
    expect(await rejectionOf(() => keys.revoke(key.id))).toMatchObject({ reason: 'api-keys-unavailable', status: 503 });
    expect(revocations.revokes(principal)).toBe('token-revoked');
    store.fault = undefined;
    expect(await keys.revoke(key.id)).toMatchObject({ key });
  });
});

describe('making', () => {
  test('is refused above the bound, and makes nothing', async () => {
    const { keys } = await open(memoryApiKeys(), { most: 2 });
    const { key } = await keys.make(wanted());
    await keys.make(wanted());
    expect(await rejectionOf(() => keys.make(wanted()))).toMatchObject({ reason: 'api-keys-full', status: 409 });
    expect(keys.list()).toHaveLength(2);
    await keys.revoke(key.id);
    await keys.make(wanted());
  });

  test('that cannot be kept is refused with 503, and no key comes of it', async () => {
    const store = shaky();
    const { keys } = await open(store);
    store.fault = new Error('disk full');
    expect(await rejectionOf(() => keys.make(wanted()))).toMatchObject({ reason: 'api-keys-unavailable', status: 503 });
    expect(keys.list()).toEqual([]);
  });

  test('forgets those that expired a month ago', async () => {
    const time = { millis: NOON_MILLIS };
    const store = memoryApiKeys();
    const { keys } = await open(store, { now: () => time.millis });
    const { key } = await keys.make(wanted({ expiresAtMillis: NOON_MILLIS + 1000 }));
    time.millis += 30 * DAY + 1000;
    await keys.make(wanted({ expiresAtMillis: time.millis + 1000 }));
    expect((await store.all()).map(({ id }) => id)).toContain(key.id);
    time.millis += 1;
    await keys.make(wanted({ expiresAtMillis: time.millis + 1000 }));
    expect((await store.all()).map(({ id }) => id)).not.toContain(key.id);
  });
});

describe('what another process does', () => {
  test('is in effect as soon as it is read', async () => {
    const inner = memoryApiKeys();
    const [here, there] = [shaky(inner), shaky(inner)];
    const [{ keys }, { keys: elsewhere }] = [await open(here), await open(there)];
    const { key, text } = await elsewhere.make(wanted());
    expect(await outcome(keys, text)).toBe('token-key-unknown 401');
    here.news();
    await eventually(async () => (await outcome(keys, text)) === 'accepted');
    await elsewhere.revoke(key.id);
    here.news();
    await eventually(async () => (await outcome(keys, text)) === 'token-key-unknown 401');
  });

  test('that cannot be read leaves what was known, says so once, and is read when that is possible again', async () => {
    const store = shaky();
    const notices: ApiKeyNotice['kind'][] = [];
    const { keys } = await open(store, { notice: ({ kind }) => notices.push(kind) });
    const { key, text } = await keys.make(wanted());
    store.fault = new Error('disk I/O error');
    store.news();
    await eventually(() => !keys.healthy());
    expect([await outcome(keys, text), notices]).toEqual(['accepted', ['api-keys-unreadable']]);
    store.fault = undefined;
    await store.remove(key.id);
    await eventually(() => keys.healthy());
    expect([await outcome(keys, text), notices]).toEqual([
      'token-key-unknown 401',
      ['api-keys-unreadable', 'api-keys-readable'],
    ]);
  });
});

describe('at its start', () => {
  test('a gateway knows the keys that there are', async () => {
    const store = memoryApiKeys();
    const { text } = await (await open(store)).keys.make(wanted());
    expect(await outcome((await open(store)).keys, text)).toBe('accepted');
  });

  test('a gateway that cannot read them does not start', async () => {
    const store = shaky();
    store.fault = new Error('disk I/O error');
    await expect(open(store)).rejects.toThrow('disk I/O error');
  });

  test('a gateway that reads a digest which is none does not start', async () => {
    const store = memoryApiKeys();
    await store.add(keptKey({ digest: 'AAAA' }), 10);
    await expect(open(store)).rejects.toThrow('the digest of the API key');
  });
});
