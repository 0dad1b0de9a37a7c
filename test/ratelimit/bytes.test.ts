import { describe, expect, test } from 'vitest';
import { bytes } from '../../src/ratelimit/bytes.ts';
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

const take = (stage: ReturnType<typeof bytes>, length: string | undefined, address?: string) => {
  const { request, match } = save(length, address);
  return stage.take(request, match, undefined);
};

describe('the bytes of bodies under way', () => {
  test('refuses a second body that would pass the bound of one key, and allows it once the first is over', () => {
    const stage = bytes({ maxBytesPerKey: 1000, maxBytes: 10_000 });
    const giveBack = take(stage, '600');
    expect(() => take(stage, '600')).toThrow(expect.objectContaining({ reason: 'bodies-limited', status: 429 }));
    expect(take(stage, '600', '10.0.0.2')).toBeDefined();
    giveBack?.();
    giveBack?.();
    expect(stage.taken()).toBe(600);
    expect(take(stage, '600')).toBeDefined();
  });

  test('refuses what would pass the bound of all', () => {
    const stage = bytes({ maxBytesPerKey: 1000, maxBytes: 1500 });
    take(stage, '900', '10.0.0.1');
    expect(() => take(stage, '900', '10.0.0.2')).toThrow(expect.objectContaining({ reason: 'bodies-limited' }));
  });

  test('counts a body of unknown length as the largest that the route takes', () => {
    const stage = bytes({ maxBytesPerKey: 1000, maxBytes: 1000 });
    take(stage, undefined);
    expect(stage.taken()).toBe(64 * 1024 * 1024);
    expect(() => take(stage, '1')).toThrow(expect.objectContaining({ reason: 'bodies-limited' }));
  });
});
