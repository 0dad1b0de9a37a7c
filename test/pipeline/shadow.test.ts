import { afterEach, describe, expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import { answer, bareUpstream, type Exchange, nowhere } from '../support/bare-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { type PipelineOptions, pipeline } from '../support/pipeline.ts';
import { jaazPolicy, type Replacement } from '../support/policies.ts';

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const shadow = (...more: readonly Replacement[]) => jaazPolicy(['mode: enforce', 'mode: shadow'], ...more);

const open = async (script: (exchange: Exchange) => void, options: Partial<PipelineOptions> = {}) => {
  const upstream = await bareUpstream((exchange) =>
    exchange.target.startsWith('/api/list_') ? exchange.socket.write(answer(200, '[]')) : script(exchange),
  );
  const gateway = pipeline({ url: upstream.url, policy: shadow(), ...options });
  closing.push(async () => {
    await gateway.close();
    await upstream[Symbol.asyncDispose]();
  });
  return { upstream, ...gateway };
};

const ok = ({ socket }: Exchange): void => void socket.write(answer(200, '{"id":"c"}'));
const status = (code: number) => (exchange: Exchange) => void exchange.socket.end(answer(code, '{}'));
const create = {
  method: 'POST',
  target: '/api/canvas/create',
  user: 'alice',
  body: { canvas_id: 'c', session_id: 's', user_id: 'test|alice' },
};
const canvas = { kind: 'canvas', id: 'c' };
const session = { kind: 'session', id: 's' };
const deny = (reason: string) => expect.objectContaining({ would: 'deny', reason });

describe('who becomes an owner', () => {
  test.each([
    [200, 'owned'],
    [201, 'owned'],
    [302, undefined],
    [404, undefined],
    [500, undefined],
  ])('after a create that the upstream answered with %i', async (code, state) => {
    const world = await open(status(code));
    const told = await world.ask(create);
    expect(told).toMatchObject({ status: code, reason: undefined });
    expect((await world.ledger.find([canvas]))[0]?.state).toBe(state);
    expect(told.record.claims).toEqual(state === undefined ? [] : [canvas, session]);
    expect(told.record.findings).toContainEqual({ would: 'claim', resources: [canvas, session] });
  });

  test('for certain nobody, before the upstream answered: meanwhile it is held for its caller', async () => {
    let known: unknown = 'unasked';
    const world = await open((exchange) => {
      void world.ledger.find([canvas]).then((found) => {
        known = found[0];
        ok(exchange);
      });
    });
    await world.ask(create);
    expect(known).toMatchObject({ owner: 'test|alice', state: 'pending' });
  });

  test('nobody, where the upstream is gone or breaks off', async () => {
    const world = await open(({ socket }) => void socket.destroy());
    expect((await world.ask(create)).record).toMatchObject({ reason: 'upstream-broken', claims: [] });
    expect(await world.ledger.find([canvas, session])).toEqual([undefined, undefined]);
  });

  test('nobody, of what was there before', async () => {
    const world = await open(ok, { presence: async () => true });
    const { record } = await world.ask(create);
    expect(record.findings).toEqual([deny('resource-quarantined'), deny('resource-quarantined')]);
    expect(await world.ledger.find([canvas, session])).toEqual([undefined, undefined]);
  });

  test('nobody who is unknown', async () => {
    const world = await open(ok);
    const { user: _user, ...anonymous } = create;
    expect((await world.ask(anonymous)).record).toMatchObject({ findings: [deny('token-missing')], owner: undefined });
    expect(await world.ledger.find([canvas])).toEqual([undefined]);
  });

  test('and the answer passes when the ledger fails at that moment', async () => {
    const world = await open(ok, { ledger: { claim: () => Promise.reject(new Error('disk')) } });
    const told = await world.ask(create);
    expect(told).toMatchObject({ status: 200, text: '{"id":"c"}' });
    expect(told.record.findings).toContainEqual(deny('ledger-unavailable'));
  });
});

describe('a delete', () => {
  const remove = { method: 'DELETE', target: '/api/canvas/c/delete', user: 'alice' };
  test.each([
    ['test|alice', 200, 'deleted'],
    ['test|alice', 500, 'owned'],
    ['test|bob', 200, 'owned'],
  ])('of what is %s’s, answered with %i', async (owner, code, state) => {
    const world = await open(status(code));
    await world.ledger.learn({ ref: canvas, parent: undefined, origin: 'request' }, owner);
    expect((await world.ask(remove)).status).toBe(code);
    expect((await world.ledger.find([canvas]))[0]?.state).toBe(state);
  });
});

describe('a run', () => {
  const one = ['running: { concurrent: 3,', 'running: { concurrent: 1,'] as const;
  const chat = { ...create, target: '/api/chat' };

  test('is counted, would be refused, and gives its slot back', async () => {
    const waiting: Exchange[] = [];
    const world = await open((exchange) => void waiting.push(exchange), { policy: shadow(one) });
    await world.ledger.learn({ ref: canvas, parent: undefined, origin: 'request' }, 'test|alice');
    await world.ledger.learn({ ref: session, parent: canvas, origin: 'request' }, 'test|alice');
    const first = world.ask(chat, world.begin(chat));
    await eventually(() => waiting.length === 1);
    expect(world.runs.open()).toBe(1);
    const second = world.ask(chat, world.begin(chat)).catch((error: unknown) => error);
    await eventually(() => waiting.length === 2);
    for (const exchange of waiting) ok(exchange);
    await Promise.all([first.catch(() => undefined), second]);
    await eventually(() => world.records.length === 2);
    const throttled = world.records.filter(({ findings = [] }) => JSON.stringify(findings).includes('runs-limited'));
    expect(throttled).toHaveLength(1);
    expect(world.records.map(({ outcome }) => outcome)).toEqual(['allowed', 'allowed']);
    expect(world.runs.open()).toBe(0);
  });

  test('of a session that is not the caller’s takes none', async () => {
    const world = await open(status(500), { presence: async () => true });
    await world.ask(chat);
    expect(world.runs.open()).toBe(0);
  });
});

describe('limits', () => {
  test('count, refusals before them too, and refuse nobody', async () => {
    const policy = shadow(
      ['visitors: { points: 600', 'visitors: { points: 1'],
      ['failures: { points: 30', 'failures: { points: 1'],
      ['requests: { points: 1200', 'requests: { points: 1'],
    );
    const world = await open(ok, { policy });
    for (const [asked, reason, limited] of [
      [{ method: 'GET', target: '/nothing' }, 'route-unknown', 'rate-limited'],
      [{ method: 'GET', target: '/api/canvas/list', user: 'forged' }, 'token-signature', 'failures-limited'],
    ] as const) {
      expect((await world.ask(asked)).record.findings).toEqual([deny(reason)]);
      expect((await world.ask(asked)).record).toMatchObject({
        outcome: 'allowed',
        findings: [deny(reason), deny(limited)],
      });
    }
    const exists = { method: 'GET', target: '/api/config/exists', user: 'alice' };
    expect((await world.ask(exists)).record.findings).toEqual([]);
    const told = await world.ask(exists);
    expect([told.status, told.record.findings]).toEqual([200, [deny('rate-limited')]]);
    expect(told.headers).not.toContain('ratelimit');
  });

  test('but shares are in effect in every mode, for they protect the process', async () => {
    const full = (): never => {
      throw new Rejection('open-limited', 'x');
    };
    for (const mode of ['shadow', 'off']) {
      const policy = jaazPolicy(['mode: enforce', `mode: ${mode}`]);
      const held = { take: full, giveBack: () => undefined, held: () => ({ open: 0, bytes: 0, keys: 0 }) };
      const world = await open(ok, { policy, stages: { shares: held } });
      const told = await world.ask({ method: 'GET', target: '/', user: 'alice' });
      expect(told).toMatchObject({ status: 429, reason: 'open-limited' });
      expect(told.record).toMatchObject({ mode, outcome: 'refused', reason: 'open-limited' });
      expect(world.upstream.seen).toEqual([]);
    }
  });

  test('what is held is given back, in every mode', async () => {
    for (const policy of [shadow(), jaazPolicy(['mode: enforce', 'mode: off'])]) {
      const world = await open(ok, { policy });
      for (const asked of [create, { method: 'GET', target: '/nothing' }, { method: 'GET', target: '/docs' }]) {
        await world.ask(asked);
      }
      expect(world.shares.held()).toEqual({ open: 0, bytes: 0, keys: 0 });
      expect(world.runs.open()).toBe(policy.rollout.mode === 'shadow' ? 1 : 0);
    }
  });
});

describe('the record', () => {
  test('names the client, in printable characters and not too long', async () => {
    const world = await open(ok);
    const headers = ['User-Agent', `Old\tClient/1.0 \u00e9 ${'x'.repeat(200)}`];
    const { client = '' } = (await world.ask({ method: 'GET', target: '/', headers })).record;
    expect(client).toBe(`Old?Client/1.0 ? ${'x'.repeat(103)}`);
  });

  test('has no word of a mode where the policy is in effect', async () => {
    const world = await open(ok, { policy: jaazPolicy() });
    const { record } = await world.ask({ method: 'GET', target: '/', headers: ['User-Agent', 'x'] });
    expect(Object.keys(record)).not.toEqual(expect.arrayContaining(['mode']));
    expect(record).not.toHaveProperty('client');
  });

  test('is written when the answer has passed and was judged', async () => {
    const list = { method: 'GET', target: '/api/canvas/list', user: 'alice' };
    const world = await open(({ socket }) => {
      const head = 'HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 22\r\n\r\n';
      socket.write(`${head}[{"id":"a"}`);
      setImmediate(() => socket.write(',{"id":"b"}]'.slice(0, 11)));
    });
    const told = await world.ask(list);
    expect(told.text).toBe('[{"id":"a"},{"id":"b"}');
    expect(told.record.findings).toEqual([deny('answer-unreadable')]);
  });

  test('tells every stage that ran', async () => {
    const world = await open(ok);
    expect(Object.keys((await world.ask(create)).record.stages)).toEqual(
      'canonical match authenticate limit read authorize rewrite forward filter respond'.split(' '),
    );
  });
});

describe('nothing that fails while judging breaks a request', () => {
  const bug = (): never => {
    throw new TypeError('oh');
  };
  const late = async (): Promise<never> => bug();
  test.each([
    ['authenticate', { authenticate: bug }],
    ['limit', { limit: { admit: bug, visitor: late, failed: late } }],
    ['runs', { runs: { start: late, finish: late, ended: late, open: () => 0 } }],
  ] as const)('a bug in %s is reported', async (_name, stages) => {
    const world = await open(ok, { stages });
    const told = await world.ask(create);
    expect(told).toMatchObject({ status: 200, text: '{"id":"c"}' });
    expect(told.record.findings).toContainEqual(deny('internal-error'));
    expect(world.reports).toHaveLength(1);
  });

  test('a ledger that is down', async () => {
    const world = await open(ok, { ledger: { find: () => Promise.reject(new Error('disk')) } });
    expect(await world.ask(create)).toMatchObject({ status: 200, record: { findings: [deny('ledger-unavailable')] } });
    const read = await world.ask({ method: 'GET', target: '/api/canvas/c', user: 'alice' });
    expect(read).toMatchObject({ status: 200, record: { findings: [deny('ledger-unavailable')] } });
  });

  test('keys that cannot be had', async () => {
    const authenticate = (): never => {
      throw new Rejection('keys-unavailable', 'x');
    };
    const world = await open(ok, { stages: { authenticate } });
    expect(await world.ask(create)).toMatchObject({ status: 200, record: { findings: [deny('keys-unavailable')] } });
  });

  test('but an upstream that is not there is no matter of judging', async () => {
    const gateway = pipeline({ url: await nowhere(), policy: shadow() });
    closing.push(gateway.close);
    expect(await gateway.ask(create)).toMatchObject({ status: 502, reason: 'upstream-unreachable' });
    expect(gateway.runs.open()).toBe(0);
    expect(await gateway.ledger.find([canvas])).toEqual([undefined]);
  });

  test('and a transport that fails does not leave the judge waiting', async () => {
    const list = { method: 'GET', target: '/api/canvas/list', user: 'alice' };
    const world = await open(
      ({ socket }) =>
        void socket.write('HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n['),
      { reply: { send: late } },
    );
    expect((await world.ask(list)).record).toMatchObject({ mode: 'shadow', outcome: 'failed' });
    expect(world.shares.held()).toEqual({ open: 0, bytes: 0, keys: 0 });
    await eventually(() => world.upstream.open() === 0);
  });
});

test('off: nothing is asked of any judge', async () => {
  const bug = (): never => {
    throw new TypeError('asked');
  };
  const policy = jaazPolicy(['mode: enforce', 'mode: off']);
  const late = async (): Promise<never> => bug();
  const world = await open(ok, {
    policy,
    ledger: { find: late, claim: late, learn: late, release: late },
    stages: {
      limit: { admit: bug, visitor: late, failed: late },
      runs: { start: late, finish: late, ended: late, open: () => 0 },
    },
  });
  for (const asked of [create, { method: 'DELETE', target: '/api/canvas/c/delete', user: 'alice' }]) {
    const told = await world.ask(asked);
    expect(told).toMatchObject({ status: 200, record: { mode: 'off', findings: [], owner: 'test|alice' } });
  }
  expect(world.reports).toEqual([]);
});
