import { describe, expect, test } from 'vitest';
import type { Freshness } from '../../src/model/freshness.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { OutboundRequest } from '../../src/model/request.ts';
import type { Origin, SmallAnswer } from '../../src/upstream/origin.ts';
import { shareCopies, sharedCopies } from '../../src/upstream/shared-copy.ts';
import { refusalOf } from '../support/bodies.ts';

const answer = (text: string, more: Partial<SmallAnswer> = {}): SmallAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(text),
  whole: true,
  ...more,
});
const FRESH: Freshness = { maxAgeMillis: 100, staleMillis: 0 };
const STALE: Freshness = { maxAgeMillis: 100, staleMillis: 5_000 };

/** An upstream whose next answers are scripted, and a clock that is set. */
const open = (...script: Array<SmallAnswer | Error>) => {
  const state = { time: 0, asked: [] as string[], script };
  const read = async (target: string): Promise<SmallAnswer> => {
    state.asked.push(target);
    await Promise.resolve();
    const next = state.script.shift() ?? answer(`${state.asked.length}`);
    if (next instanceof Error) throw next;
    return next;
  };
  const copies = sharedCopies({ read }, () => state.time);
  const text = async (freshness = FRESH, target = '/a') => (await copies.copyOf(target, freshness)).body.toString();
  return { state, copies, text };
};

describe('a copy', () => {
  test('is asked for once, however many wait for it, and again when it is old', async () => {
    const { state, text } = open();
    expect(await Promise.all([text(), text(), text()])).toEqual(['1', '1', '1']);
    state.time = 99;
    expect(await text()).toBe('1');
    state.time = 100;
    expect(await text()).toBe('2');
    expect(state.asked).toEqual(['/a', '/a']);
  });

  test('is one for each target', async () => {
    const { text } = open();
    expect(await text(FRESH, '/a')).toBe('1');
    expect(await text(FRESH, '/b')).toBe('2');
    expect(await text(FRESH, '/a')).toBe('1');
  });

  test.each([
    ['has another status', answer('no', { status: 404 })],
    ['has a cookie', answer('no', { headers: { 'set-cookie': ['a=b'] } })],
  ])('is not kept of an answer that %s', async (_name, first) => {
    const { text } = open(first);
    expect(await text()).toBe('no');
    expect(await text()).toBe('2');
  });

  test('is not made of what is too large', async () => {
    const { copies, text } = open(answer('no', { whole: false }));
    expect(await refusalOf(() => copies.copyOf('/a', FRESH))).toBe('answer-too-large 502');
    expect(await text()).toBe('2');
  });

  test('is not kept for more than 64 targets', async () => {
    const { state, text } = open();
    for (let index = 0; index <= 64; index++) await text(FRESH, `/${index}`);
    await text(FRESH, '/64');
    expect(state.asked).toHaveLength(65);
    await text(FRESH, '/0');
    expect(state.asked).toHaveLength(66);
  });

  test('is gone when it is forgotten', async () => {
    const { copies, text } = open();
    await text();
    copies.forget('/a');
    expect(await text()).toBe('2');
  });
});

describe('where the upstream fails', () => {
  const gone = new Rejection('upstream-unreachable', 'x');
  const broken = answer('Internal Server Error', { status: 500 });

  test.each([
    ['is away', gone],
    ['answers 500', broken],
    ['answers too much', answer('', { whole: false })],
  ])('and %s, an older copy stands in, and the upstream is left alone for a second', async (_name, failure) => {
    const { state, text } = open(answer('old'), failure, answer('new'));
    await text(STALE);
    state.time = 200;
    expect(await text(STALE)).toBe('old');
    state.time = 1_199;
    expect(await text(STALE)).toBe('old');
    expect(state.asked).toHaveLength(2);
    state.time = 1_200;
    expect(await text(STALE)).toBe('new');
  });

  test('the copy stands in no longer than it may', async () => {
    const { state, copies, text } = open(answer('old'), gone, gone);
    await text(STALE);
    state.time = 5_099;
    expect(await text(STALE)).toBe('old');
    state.time = 6_100;
    expect(await refusalOf(() => copies.copyOf('/a', STALE))).toBe('upstream-unreachable 502');
  });

  test('and no copy may stand in, everybody who waits is told so, and the next one asks again', async () => {
    const { copies, text } = open(gone);
    const both = await Promise.allSettled([copies.copyOf('/a', FRESH), copies.copyOf('/a', FRESH)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await text()).toBe('2');
  });

  test('a 500 is passed on', async () => {
    const { copies } = open(broken);
    expect(await copies.copyOf('/a', FRESH)).toMatchObject({ status: 500 });
  });
});

describe('an origin that shares', () => {
  const sent: string[] = [];
  const read: string[] = [];
  const plain: Origin = {
    async send({ target }) {
      sent.push(target);
      throw new Rejection('upstream-unreachable', 'x');
    },
    async read(target) {
      read.push(target);
      return answer('[1]');
    },
    healthy: () => true,
    close: async () => undefined,
  };
  const origin = shareCopies(plain);
  const request = (cache: Freshness | undefined) =>
    ({
      method: 'GET',
      target: '/a',
      headers: ['x-user-id', 'a'],
      body: undefined,
      timeoutMillis: 1,
      cache,
    }) as unknown as OutboundRequest;
  const idle = { cancelled: false, onCancel: undefined };

  test('sends what is not shared', async () => {
    expect(await refusalOf(() => origin.send(request(undefined), idle))).toBe('upstream-unreachable 502');
    expect(sent).toEqual(['/a']);
  });

  test('sends nothing of a request that is, and gives each the whole body', async () => {
    const [one, other] = await Promise.all([origin.send(request(FRESH), idle), origin.send(request(FRESH), idle)]);
    expect(read).toEqual(['/a']);
    expect(sent).toEqual(['/a']);
    expect([one.body.whole()?.toString(), other.body.whole()?.toString()]).toEqual(['[1]', '[1]']);
    const chunks: string[] = [];
    one.body.pipe({
      write: (chunk) => chunks.push(chunk.toString()) > 0,
      end: () => chunks.push('end'),
      fail: () => chunks.push('fail'),
    });
    expect(chunks).toEqual(['[1]', 'end']);
  });
});
