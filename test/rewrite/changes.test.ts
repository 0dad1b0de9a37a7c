import { describe, expect, test } from 'vitest';
import { writeJson } from '../../src/body/json-write.ts';
import type { Evidence } from '../../src/model/evidence.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { changes } from '../../src/rewrite/changes.ts';
import { jaazPolicy } from '../support/policies.ts';
import { type Arriving, arrive, principalOf } from '../support/stages.ts';

const policy = jaazPolicy();
const alice = principalOf('alice');
const models = [{ provider: 'openai', model: 'gpt-4o', url: 'u' }];

const judged = async (arriving: Arriving, { down = false } = {}) => {
  const { request, match } = await arrive(policy, arriving);
  const evidence: Evidence = { findings: [], faults: [] };
  const shadow = { sent: undefined, refused: false, evidence };
  const grant = { request: { ...request, shadow }, shadow: { evidence, allowed: true, fresh: [] } };
  const stage = changes({
    catalogue: async ({ name }) => {
      if (down) throw new Rejection('catalogue-unavailable', 'x');
      return name === 'models' ? models : [];
    },
    writeJson: async (value) => [writeJson(value)],
  });
  await stage(grant as unknown as Parameters<typeof stage>[0], match, alice);
  return evidence;
};

const save = (target: string) => ({ method: 'POST', target, body: { data: { n: 1 }, thumbnail: null } });
const chat = (more: object) => ({
  method: 'POST',
  target: '/api/chat',
  body: { canvas_id: 'c', session_id: 's', ...more },
});
const changed = [{ would: 'change', what: 'request' }];

describe('what would be changed', () => {
  test.each([
    ['a route that changes nothing', save('/api/canvas/c/save'), []],
    ['a parameter that the route does not list', save('/api/canvas/c/save?x=1'), changed],
    ['a field that is set', chat({}), changed],
    ['one that is set already', chat({ user_id: 'test|alice' }), []],
    ['a choice as it is offered', chat({ user_id: 'test|alice', text_model: models[0] ?? {} }), []],
    [
      'one with another address',
      chat({ user_id: 'test|alice', text_model: { provider: 'openai', model: 'gpt-4o', url: 'evil' } }),
      changed,
    ],
  ])('%s', async (_what, arriving, findings) => {
    expect(await judged(arriving)).toEqual({ findings, faults: [] });
  });
});

test('what an operation refuses would be refused', async () => {
  const { findings } = await judged(chat({ messages: [{ image_url: 'http://x' }] }));
  expect(findings).toMatchObject([{ would: 'deny', reason: 'image-not-inline' }]);
});

test('a catalogue that cannot be read breaks nothing', async () => {
  const { findings, faults } = await judged(chat({ text_model: models[0] ?? {} }), { down: true });
  expect(findings).toMatchObject([{ would: 'deny', reason: 'catalogue-unavailable' }]);
  expect(faults).toEqual([]);
});
