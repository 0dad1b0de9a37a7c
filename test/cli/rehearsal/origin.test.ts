import { describe, expect, test } from 'vitest';
import { type OriginScript, type ScriptedAnswer, scriptedOrigin } from '../../../src/cli/rehearsal/origin.ts';
import type { OutboundRequest } from '../../../src/model/request.ts';
import { policyFrom } from '../../support/stages.ts';
import { rejectionOf } from '../../support/token-issuer.ts';

const { resources } = policyFrom(`
version: 1
name: p
resources:
  canvas: { id: '[a-z]{1,9}', probe: { get: '/api/canvas/{canvas}', absent: { json: null } } }
  file: { id: '[a-z]{1,9}', probe: { get: '/api/file/{file}/info', absent: { status: 404 } } }
routes: [{ id: page, match: GET /, access: public }]
`);

const text = (body: string): ScriptedAnswer => ({ status: 200, headers: {}, body: Buffer.from(body) });
const origin = (script: Partial<OriginScript> = {}) =>
  scriptedOrigin({ kinds: resources.values(), has: new Map(), answer: () => undefined, ...script });
const outbound = (fields: Partial<OutboundRequest> = {}) =>
  ({ method: 'GET', target: '/x', headers: [], body: undefined, timeoutMillis: 1, ...fields }) as OutboundRequest;
const cancellation = { cancelled: false, onCancel: undefined };

describe('the upstream of a rehearsal', () => {
  test('keeps what it is sent, whole', async () => {
    const scripted = origin({ answer: () => text('fine') });
    async function* arriving() {
      yield Buffer.from('a');
      yield Buffer.from('b');
    }
    const answer = await scripted.send(outbound({ method: 'POST', body: arriving() }), cancellation);
    expect(answer.body.whole()?.toString()).toBe('fine');
    expect(scripted.taken()).toMatchObject({ forwarded: { method: 'POST', body: Buffer.from('ab') } });
    expect(scripted.taken().forwarded).toBeUndefined();
  });

  test('is away where the script has no answer', async () => {
    const scripted = origin();
    expect(await rejectionOf(() => scripted.send(outbound(), cancellation))).toMatchObject({
      reason: 'upstream-unreachable',
      status: 502,
    });
    expect(scripted.taken().forwarded?.target).toBe('/x');
  });

  test('has nothing but what the script says, and tells what else was looked up', async () => {
    const scripted = origin({ has: new Map([['/api/canvas/old', text('{}')]]) });
    const bodyOf = async (target: string) => (await scripted.read(target, 100)).body.toString();
    expect(await bodyOf('/api/canvas/old')).toBe('{}');
    expect(await bodyOf('/api/canvas/new')).toBe('null');
    expect((await scripted.read('/api/file/new/info', 100)).status).toBe(404);
    expect((await scripted.read('/api/list_models', 100)).status).toBe(404);
    expect(scripted.taken().unscripted).toEqual(['/api/canvas/new', '/api/file/new/info', '/api/list_models']);
  });

  test('gives no more of a look-up than was asked for', async () => {
    const scripted = origin({ has: new Map([['/long', text('0123456789')]]) });
    expect(await scripted.read('/long', 4)).toMatchObject({ body: Buffer.from('0123'), whole: false });
  });

  test('shares an answer, and is then not asked again', async () => {
    const scripted = origin({ answer: () => text('[]') });
    const cache = { maxAgeMillis: 1000, staleMillis: 0 };
    await scripted.send(outbound({ cache, headers: ['x-user-id', 'alice'] }), cancellation);
    // As the gateway does: what leaves is a look-up of its own, with nothing of the caller's.
    expect(scripted.taken().forwarded).toEqual({ method: 'GET', target: '/x', headers: [], body: undefined });
    await scripted.send(outbound({ cache }), cancellation);
    expect(scripted.taken().forwarded).toBeUndefined();
  });
});
