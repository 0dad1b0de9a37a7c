import { describe, expect, test } from 'vitest';
import { ledgerOf } from '../../../src/cli/rehearsal/belongings.ts';
import { hearing } from '../../../src/cli/rehearsal/hearing.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { jaazPolicy } from '../../support/policies.ts';
import { policyFrom } from '../../support/stages.ts';

const hear = async (payload: JsonObject, name = 'session_update') => {
  const ledger = await ledgerOf([
    { ref: { kind: 'session', id: 's' }, owner: 'main|alice' },
    { ref: { kind: 'canvas', id: 'b' }, owner: 'main|bob' },
  ]);
  return hearing({ policy: jaazPolicy(), ledger })({ name, payload });
};

describe('an event in a rehearsal', () => {
  test('is heard by its owner alone', async () => {
    expect(await hear({ session_id: 's', type: 'delta', text: 'hi' })).toEqual({
      delivered: [{ owner: 'main|alice', payload: { session_id: 's', type: 'delta', text: 'hi' } }],
      dropped: undefined,
      learned: [],
      ended: [],
    });
  });

  test('is waited for until what it names is learned', async () => {
    const { delivered, learned } = await hear({
      session_id: 's',
      type: 'image_generated',
      image_url: '/api/file/im_12345678.png',
    });
    expect(learned).toEqual([{ kind: 'file', id: 'im_12345678.png' }]);
    expect(delivered).toHaveLength(1);
  });

  test('ends the run of its session', async () => {
    expect((await hear({ session_id: 's', type: 'done' })).ended).toEqual([{ kind: 'session', id: 's' }]);
  });

  test.each([
    ['unlisted-type', { session_id: 's', type: 'info' }],
    ['unknown-owner', { session_id: 'x', type: 'delta' }],
    ['no-resource', { session_id: '', type: 'delta' }],
    ['event-disagrees', { session_id: 's', canvas_id: 'b', type: 'delta' }],
  ])('is heard by nobody, and the reason is told: %s', async (because, payload) => {
    expect(await hear(payload)).toMatchObject({ delivered: [], dropped: because });
  });

  test('needs a policy with a socket', async () => {
    const policy = policyFrom('version: 1\nname: p\nroutes: [{ id: page, match: GET /, access: public }]\n');
    const ledger = await ledgerOf([]);
    expect(() => hearing({ policy, ledger })).toThrow(TypeError);
  });
});
