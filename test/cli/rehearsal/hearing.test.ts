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
    { ref: { kind: 'file', id: 'im_bobs0001.png' }, owner: 'main|bob' },
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
      pending: [],
      settled: [],
      stopped: undefined,
      cancelled: [],
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

  test('says which calls wait from now on, and which no longer', async () => {
    const asked = await hear({ session_id: 's', type: 'tool_call_pending_confirmation', id: 'c' });
    expect(asked).toMatchObject({ pending: ['c'], settled: [] });
    expect(asked.delivered).toHaveLength(1);
    expect(await hear({ session_id: 's', type: 'tool_call_cancelled', id: 'c' })).toMatchObject({
      pending: [],
      settled: ['c'],
    });
    expect(await hear({ session_id: 'x', type: 'tool_call_pending_confirmation', id: 'c' })).toMatchObject({
      dropped: 'unknown-owner',
      pending: [],
    });
  });

  test('stops a run that is about to open another’s, and says how it is ended', async () => {
    const opening = (file: string) =>
      hear({ session_id: 's', type: 'tool_call_arguments', id: 'c', text: `{"image":"${file}"}` });
    expect(await opening('im_bobs0001.png')).toMatchObject({
      delivered: [],
      dropped: 'run-condemned',
      stopped: 'foreign-file-opened',
      cancelled: ['POST /api/cancel/s'],
    });
    const invented = await opening('im_none0001.png');
    expect(invented).toMatchObject({ dropped: undefined, stopped: undefined, cancelled: [] });
    expect(invented.delivered).toHaveLength(1);
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
