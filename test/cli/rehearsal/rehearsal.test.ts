import { describe, expect, test } from 'vitest';
import { type Belonging, callsOf, ledgerOf } from '../../../src/cli/rehearsal/belongings.ts';
import type { ScriptedAnswer } from '../../../src/cli/rehearsal/origin.ts';
import { type Asked, rehearsal } from '../../../src/cli/rehearsal/rehearsal.ts';
import { SESSION_COOKIE } from '../../../src/model/cookie.ts';
import { jaazPolicy } from '../../support/policies.ts';

const alice = { issuer: 'main', user: 'alice', roles: [] };
const json = (value: unknown): ScriptedAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(value)),
});
const owned: readonly Belonging[] = [{ ref: { kind: 'canvas', id: 'a' }, owner: 'main|alice' }];

const stageOf = async (
  options: { readonly policy?: ReturnType<typeof jaazPolicy>; readonly has?: string[]; readonly login?: boolean } = {},
) =>
  rehearsal({
    policy: options.policy ?? jaazPolicy(),
    issuers: ['main'],
    login: options.login ?? false,
    ledger: await ledgerOf(owned),
    has: new Map((options.has ?? []).map((target) => [target, json({})])),
  });

const asking = (words: string, more: Partial<Asked> = {}): Asked => {
  const [method = '', target = ''] = words.split(' ');
  return { method, target, headers: [], body: undefined, caller: alice, answer: () => json([]), ...more };
};

const creating = (body: object): Partial<Asked> => ({
  headers: ['content-type', 'application/json'],
  body: Buffer.from(JSON.stringify(body)),
});

describe('a rehearsal', () => {
  test('lives a request to its end', async () => {
    const stage = await stageOf();
    const list = asking('GET /api/canvas/list', { answer: () => json([{ id: 'b' }, { id: 'a' }]) });
    const { record, forwarded, shown, principal } = await stage.request(list);
    expect(record).toMatchObject({ outcome: 'allowed', route: 'canvas.list', owner: 'main|alice' });
    expect(principal).toMatchObject({ owner: 'main|alice' });
    expect(forwarded).toMatchObject({ method: 'GET', target: '/api/canvas/list' });
    expect(shown.body.toString()).toBe('[{"id":"a"}]');
  });

  test('finds out by a token who is calling, and that nobody is', async () => {
    const stage = await stageOf();
    const nobody = await stage.request(asking('GET /api/canvas/list', { caller: undefined }));
    expect(nobody.record).toMatchObject({ outcome: 'refused', reason: 'token-missing', status: 401 });
    const forged = asking('GET /api/canvas/list', { headers: ['authorization', 'Bearer a.b.c'] });
    expect((await stage.request(forged)).record.reason).toBe('token-malformed');
    const stranger = asking('GET /api/canvas/list', { caller: { ...alice, issuer: 'elsewhere' } });
    expect((await stage.request(stranger)).record.reason).toBe('token-issuer');
  });

  test('forwards nothing that was refused', async () => {
    const stage = await stageOf();
    const { record, forwarded, shown, read } = await stage.request(asking('GET /api/canvas/b'));
    expect(record).toMatchObject({ outcome: 'refused', reason: 'resource-hidden', status: 200 });
    expect(forwarded).toBeUndefined();
    expect(shown.body.toString()).toBe('null');
    expect(read?.canonical.path).toBe('/api/canvas/b');
  });

  test('remembers from one request to the next what the first one claimed', async () => {
    const stage = await stageOf();
    const create = asking('POST /api/canvas/create', creating({ canvas_id: 'new', session_id: 's' }));
    expect((await stage.request(create)).record.claims).toEqual([
      { kind: 'canvas', id: 'new' },
      { kind: 'session', id: 's' },
    ]);
    expect((await stage.request(asking('GET /api/canvas/new'))).record.outcome).toBe('allowed');
    expect((await stage.request(create)).record.reason).toBe('resource-taken');
  });

  test('knows whether people can log in', async () => {
    const opened = asking('GET /', { caller: undefined, headers: ['accept', 'text/html'] });
    expect((await (await stageOf()).request(opened)).record.outcome).toBe('allowed');
    const stage = await stageOf({ login: true });
    expect((await stage.request(opened)).record).toMatchObject({ reason: 'login-needed', status: 303 });
    expect((await stage.request({ ...opened, caller: alice })).record).toMatchObject({ owner: 'main|alice' });
    const cookie = ['cookie', `${SESSION_COOKIE}=x`];
    expect((await stage.request({ ...opened, headers: cookie })).record.reason).toBe('session-ended');
  });

  test('gives claims back where nothing is sent', async () => {
    const stage = await stageOf();
    const create = asking('POST /api/canvas/create', {
      ...creating({ canvas_id: 'new', session_id: 's' }),
      answer: () => undefined,
    });
    const { record, forwarded } = await stage.request(create);
    expect(record.reason).toBe('upstream-unreachable');
    expect(forwarded?.body?.toString()).toContain('"user_id":"main|alice"');
    expect((await stage.request(asking('GET /api/canvas/new'))).record.reason).toBe('resource-hidden');
  });

  test('answers a call that waits, and says which', async () => {
    const place = { kind: 'session', id: 's' };
    const ledger = await ledgerOf([{ ref: place, owner: 'main|alice' }]);
    const calls = callsOf([{ place, owner: 'main|alice', call: 'c' }]);
    const stage = rehearsal({ policy: jaazPolicy(), issuers: ['main'], ledger, calls, has: new Map() });
    const answer = asking('POST /api/tool_confirmation', {
      ...creating({ session_id: 's', tool_call_id: 'c', confirmed: true }),
      answer: () => json({ status: 'success' }),
    });
    const first = await stage.request(answer);
    expect([first.record.outcome, first.confirms]).toEqual(['allowed', 'c']);
    const second = await stage.request(answer);
    expect([second.record.reason, second.confirms]).toEqual(['call-not-pending', undefined]);
    const without = rehearsal({ policy: jaazPolicy(), issuers: ['main'], ledger, has: new Map() });
    expect((await without.request(answer)).record.reason).toBe('call-not-pending');
  });

  test('tells what the upstream would have been asked, and uses what it is told', async () => {
    const create = asking('POST /api/canvas/create', creating({ canvas_id: 'new', session_id: 's' }));
    expect((await (await stageOf()).request(create)).unscripted).toEqual(['/api/canvas/new', '/api/chat_session/s']);
    const knowing = await stageOf({ has: ['/api/canvas/new'] });
    expect((await knowing.request(create)).record.reason).toBe('resource-quarantined');
  });

  test('notes the body as it came, whatever it is rewritten to', async () => {
    const stage = await stageOf();
    const body = { canvas_id: 'new', session_id: 's', user_id: 'mallory' };
    const { read } = await stage.request(asking('POST /api/canvas/create', creating(body)));
    expect(read?.body).toMatchObject({ kind: 'json', value: body });
  });

  test('counts without a clock: points do not come back', async () => {
    const stage = await stageOf({ policy: jaazPolicy(['points: 1200, per: 1m', 'points: 1, per: 1ms']) });
    const reasons = new Set<string | undefined>();
    expect((await stage.request(asking('GET /api/canvas/a'))).record.outcome).toBe('allowed');
    for (let count = 0; count < 50; count += 1) {
      reasons.add((await stage.request(asking('GET /api/canvas/a'))).record.reason);
    }
    expect([...reasons]).toEqual(['rate-limited']);
  });

  test('passes what shadow mode passes, and tells what it found', async () => {
    const stage = await stageOf({ policy: jaazPolicy(['mode: enforce', 'mode: shadow']) });
    const { record, forwarded } = await stage.request(asking('GET /api/canvas/b'));
    expect(record).toMatchObject({ outcome: 'allowed', mode: 'shadow' });
    expect(record.findings).toMatchObject([{ would: 'deny', reason: 'resource-hidden' }]);
    expect(forwarded?.target).toBe('/api/canvas/b');
  });
});
