import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { KeyNotice, KeySet, KeyTimes } from '../../src/authn/keys.ts';
import { keySet } from '../../src/authn/keys.ts';
import { keySource } from '../../src/store/keys/source.ts';
import { clock, type KeyServer, keyServer, rejectionOf, type Signer, signer } from '../support/token-issuer.ts';

const MINUTE = 60_000;
const quiet: KeyTimes = { refreshMillis: 60 * MINUTE, cooldownMillis: 30_000, staleMillis: 12 * 60 * MINUTE };

describe('keySet', () => {
  let one: Signer;
  let two: Signer;
  const opened: { close(): unknown }[] = [];
  beforeAll(async () => {
    one = await signer('one');
    two = await signer('two');
  });
  afterEach(async () => {
    for (const thing of opened.splice(0)) await thing.close();
  });

  const publish = async (...keys: readonly object[]): Promise<KeyServer> => {
    const server = await keyServer(...keys);
    opened.push(server);
    return server;
  };
  const open = (place: { url: string } | { file: string }, times: Partial<KeyTimes> = {}) => {
    const time = clock();
    const notices: KeyNotice[] = [];
    const keys: KeySet = keySet({
      issuer: 'main',
      algorithms: ['ES256', 'RS256'],
      source: keySource(place),
      times: { ...quiet, ...times },
      now: time.now,
      notice: (notice) => notices.push(notice),
    });
    opened.push(keys);
    return { keys, time, notices };
  };
  const find = (keys: KeySet, kid: string | undefined) => keys.find('ES256', kid);
  const reasonOf = async (keys: KeySet, kid: string | undefined) => {
    const { reason, status } = await rejectionOf(() => find(keys, kid));
    return `${reason} ${status}`;
  };

  test('reads the keys on start, and then answers without a promise', async () => {
    const server = await publish(one.jwk);
    const { keys } = open(server);
    keys.start();
    await vi.waitFor(() => expect(keys.current()).toBe(true));
    expect(find(keys, 'one')).toMatchObject({ id: 'one' });
    expect(server.hits()).toBe(1);
  });

  test('lets the first callers wait for the one reading that is under way', async () => {
    const server = await publish(one.jwk);
    const { keys } = open(server);
    keys.start();
    const found = await Promise.all(Array.from({ length: 20 }, () => find(keys, 'one')));
    expect(found.every((key) => key.id === 'one')).toBe(true);
    expect(server.hits()).toBe(1);
  });

  test('finds a key that appeared, once the cool-down is over', async () => {
    const server = await publish(one.jwk);
    const { keys, time } = open(server);
    await find(keys, 'one');
    server.publish(one.jwk, two.jwk);
    expect(await reasonOf(keys, 'two')).toBe('token-key-unknown 401');
    time.seconds += 30;
    expect(await find(keys, 'two')).toMatchObject({ id: 'two' });
    expect(server.hits()).toBe(2);
  });

  test('finds a key that appeared right after a reading in the background', async () => {
    const server = await publish(one.jwk);
    const { keys } = open(server);
    keys.start();
    await vi.waitFor(() => expect(keys.current()).toBe(true));
    server.publish(one.jwk, two.jwk);
    expect(await find(keys, 'two')).toMatchObject({ id: 'two' });
    expect(server.hits()).toBe(2);
    expect(await reasonOf(keys, 'three')).toBe('token-key-unknown 401');
    expect(server.hits()).toBe(2);
  });

  test('finds a key that appeared while a reading in the background was under way', async () => {
    const server = await publish(one.jwk);
    const { promise, resolve } = Promise.withResolvers<void>();
    server.answer((response) => {
      server.publish(one.jwk, two.jwk);
      void promise.then(() => response.end(JSON.stringify({ keys: [one.jwk] })));
    });
    const { keys } = open(server);
    keys.start();
    const found = [find(keys, 'two'), find(keys, 'two')];
    resolve();
    for (const key of await Promise.all(found)) expect(key).toMatchObject({ id: 'two' });
    expect(server.hits()).toBe(2);
  });

  test('lets the issuer rest after a reading in the background that failed', async () => {
    const server = await publish(one.jwk);
    server.answer((response) => response.writeHead(500).end());
    const { keys } = open(server);
    keys.start();
    expect(await reasonOf(keys, 'one')).toBe('keys-unavailable 503');
    expect(await reasonOf(keys, 'one')).toBe('keys-unavailable 503');
    expect(server.hits()).toBe(1);
  });

  test('reads again in the background, and retires a key that vanished', async () => {
    const server = await publish(one.jwk, two.jwk);
    const { keys } = open(server, { refreshMillis: 20 });
    const withdrawn = await find(keys, 'two');
    const kept = await find(keys, 'one');
    server.publish(one.jwk);
    await vi.waitFor(() => expect(withdrawn.retired).toBe(true));
    expect(kept.retired).toBe(false);
    expect(await find(keys, 'one')).toBe(kept);
  });

  test('retires a key whose name was given to another', async () => {
    const server = await publish(one.jwk);
    const { keys } = open(server, { refreshMillis: 20 });
    const before = await find(keys, 'one');
    server.publish({ ...two.jwk, kid: 'one' });
    await vi.waitFor(() => expect(before.retired).toBe(true));
    expect(await find(keys, 'one')).not.toBe(before);
  });

  test('tries again in the background after a failure', async () => {
    const server = await publish(one.jwk);
    server.answer((response) => response.writeHead(500).end());
    const { keys, notices } = open(server, { cooldownMillis: 20 });
    keys.start();
    await vi.waitFor(() => expect(server.hits()).toBeGreaterThan(1));
    expect(notices[0]).toEqual({ issuer: 'main', kind: 'keys-failed', detail: 'the keys were answered with 500' });
    server.publish(one.jwk);
    await vi.waitFor(() => expect(keys.current()).toBe(true));
  });

  test('keeps the last good keys up to the bound, and then answers 503', async () => {
    const server = await publish(one.jwk);
    const { keys, time } = open(server);
    const key = await find(keys, 'one');
    server.answer((response) => response.writeHead(503).end());
    time.seconds += 12 * 3600 - 1;
    expect(find(keys, 'one')).toBe(key);
    time.seconds += 1;
    expect(keys.current()).toBe(false);
    expect(await rejectionOf(() => find(keys, 'one'))).toMatchObject({
      reason: 'keys-unavailable',
      status: 503,
      headers: ['Retry-After', '30'],
    });
    server.publish(one.jwk);
    time.seconds += 30;
    expect(await find(keys, 'one')).toBe(key);
  });

  test('does not blame the caller for an unknown key while the issuer cannot be asked', async () => {
    const server = await publish(one.jwk);
    const { keys, time } = open(server);
    await find(keys, 'one');
    await server.close();
    time.seconds += 30;
    expect(await reasonOf(keys, 'two')).toBe('keys-unavailable 503');
    expect(find(keys, 'one')).toMatchObject({ id: 'one' });
  });

  test('takes an emptied set at its word', async () => {
    const server = await publish(one.jwk);
    const { keys, time } = open(server);
    const key = await find(keys, 'one');
    server.publish();
    time.seconds += 30;
    expect(await reasonOf(keys, 'two')).toBe('keys-unavailable 503');
    expect(key.retired).toBe(true);
    expect(keys.current()).toBe(false);
  });

  test('keeps the last good keys when the answer is no key set', async () => {
    const server = await publish(one.jwk);
    const { keys, time, notices } = open(server);
    const key = await find(keys, 'one');
    server.answer((response) => response.writeHead(200).end('<html>maintenance</html>'));
    time.seconds += 30;
    expect(await reasonOf(keys, 'two')).toBe('keys-unavailable 503');
    expect(find(keys, 'one')).toBe(key);
    expect(notices.at(-1)).toMatchObject({ kind: 'keys-failed' });
  });

  test('finds the only fitting key for a token that names none, and refuses to choose between two', async () => {
    const server = await publish(one.jwk);
    const { keys, time } = open(server);
    expect(await find(keys, undefined)).toMatchObject({ id: 'one' });
    server.publish(one.jwk, two.jwk);
    time.seconds += 30;
    await find(keys, 'two');
    expect(await reasonOf(keys, undefined)).toBe('token-key-unknown 401');
  });

  test('says once what it left out', async () => {
    const server = await publish(one.jwk, { ...two.jwk, use: 'enc' });
    const { keys, notices } = open(server, { refreshMillis: 10 });
    keys.start();
    await vi.waitFor(() => expect(server.hits()).toBeGreaterThan(3));
    expect(notices.filter(({ kind }) => kind === 'keys-skipped')).toEqual([
      { issuer: 'main', kind: 'keys-skipped', detail: '"two": not meant for signatures' },
    ]);
    expect(notices.filter(({ kind }) => kind === 'keys-changed')).toHaveLength(1);
  });

  test('reads no more after close', async () => {
    const server = await publish(one.jwk);
    const { keys, time } = open(server);
    await find(keys, 'one');
    keys.close();
    time.seconds += 30;
    expect(await reasonOf(keys, 'two')).toBe('token-key-unknown 401');
    expect(server.hits()).toBe(1);
  });

  test('reads a swapped file on an unknown key', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'keys-'));
    opened.push({ close: () => rm(folder, { recursive: true }) });
    const file = join(folder, 'keys.json');
    await writeFile(file, JSON.stringify({ keys: [one.jwk] }));
    const { keys, time } = open({ file });
    await find(keys, 'one');
    await writeFile(`${file}.new`, JSON.stringify({ keys: [two.jwk] }));
    await rename(`${file}.new`, file);
    time.seconds += 30;
    expect(await find(keys, 'two')).toMatchObject({ id: 'two' });
    expect(await reasonOf(keys, 'one')).toBe('token-key-unknown 401');
  });
});
