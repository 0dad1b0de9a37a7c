import { describe, expect, test } from 'vitest';
import { type Shares, shares } from '../../src/ratelimit/shares.ts';
import { canonical } from '../../src/server/canonical.ts';
import { policyOf } from '../support/world.ts';

const policy = policyOf('policies/jaaz.yaml');
const judge = canonical({ hosts: undefined, trustedProxies: [] });

const save = (length: string | undefined, remoteAddress = '10.0.0.1') => {
  const framing = length === undefined ? ['transfer-encoding', 'chunked'] : ['content-length', length];
  const request = judge({
    method: 'POST',
    target: '/api/canvas/c1/save',
    rawHeaders: ['host', 'gateway', ...framing],
    remoteAddress,
  });
  const match = policy.match(request.method, request.path);
  if (match === undefined) throw new TypeError('the route is missing');
  return { request, match };
};

const take = (stage: Shares, length: string | undefined, address?: string) => {
  const { request, match } = save(length, address);
  return stage.take(request, match, undefined);
};

const bounds = { maxOpenPerKey: 2, maxOpen: 3, maxBytesPerKey: 1000, maxBytes: 1500 };
const refused = (reason: string) => expect.objectContaining({ reason, status: 429 });

describe('what is open at once', () => {
  test('is bounded for one key, and given back', () => {
    const stage = shares(bounds);
    const first = take(stage, '1');
    take(stage, '1');
    expect(() => take(stage, '1')).toThrow(refused('open-limited'));
    expect(take(stage, '1', '10.0.0.2')).toBeDefined();
    stage.giveBack(first);
    expect(take(stage, '1')).toBeDefined();
  });

  test('is bounded for all', () => {
    const stage = shares(bounds);
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) take(stage, '1', address);
    expect(() => take(stage, '1', '10.0.0.4')).toThrow(refused('open-limited'));
  });

  test('leaves nothing behind', () => {
    const stage = shares(bounds);
    for (const share of [take(stage, '5'), take(stage, '7'), take(stage, '9', '10.0.0.2')]) stage.giveBack(share);
    expect(stage.held()).toEqual({ open: 0, bytes: 0, keys: 0 });
  });
});

describe('the bytes of bodies under way', () => {
  test('are bounded for one key, and given back', () => {
    const stage = shares({ ...bounds, maxBytes: 10_000, maxOpenPerKey: 9, maxOpen: 9 });
    const first = take(stage, '600');
    expect(() => take(stage, '600')).toThrow(refused('bodies-limited'));
    expect(take(stage, '600', '10.0.0.2')).toBeDefined();
    stage.giveBack(first);
    expect(stage.held().bytes).toBe(600);
    expect(take(stage, '600')).toBeDefined();
  });

  test('are bounded for all', () => {
    const stage = shares(bounds);
    take(stage, '900', '10.0.0.1');
    expect(() => take(stage, '900', '10.0.0.2')).toThrow(refused('bodies-limited'));
  });

  test('count as the largest that the route takes where no length is announced', () => {
    const stage = shares(bounds);
    take(stage, undefined);
    expect(stage.held().bytes).toBe(64 * 1024 * 1024);
    expect(() => take(stage, '1')).toThrow(refused('bodies-limited'));
  });
});
