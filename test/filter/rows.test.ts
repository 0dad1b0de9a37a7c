import { describe, expect, test } from 'vitest';
import { keepRows } from '../../src/filter/rows.ts';
import type { BodySource } from '../../src/model/response.ts';
import { chunksOf, drain, feed, late, options } from '../support/row-lists.ts';

const row = (id: unknown, filler = 0): string => JSON.stringify({ id, name: 'x'.repeat(filler) });

describe('a list that streams', () => {
  test.each([
    ['at once', options()],
    ['later', options({ ownersOf: late })],
  ])('shows the caller’s rows byte for byte, where owners are known %s', async (_when, given) => {
    const mine = ['{ "id" : "mine-1", "n": 1.0 }', '{"n":12345678901234567890,"id":"mine-2"}'];
    const text = `[${row('other-1')}, ${mine[0]},${row(null)},${row('')},${row('mine-reserved')},${row(7)},${row('new-1')},${mine[1]}]`;
    for (const size of [1, 7, 4096]) {
      expect(await drain(await keepRows(feed(chunksOf(text, size)).body, given))).toEqual({
        text: `[${mine.join(',')}]`,
        outcome: 'ended',
      });
    }
  });

  test('is an empty list where nothing is the caller’s', async () => {
    for (const text of ['[]', `[${row('other')}]`]) {
      expect(await drain(await keepRows(feed(chunksOf(text, 3)).body, options()))).toMatchObject({ text: '[]' });
    }
  });

  test('flows before the upstream has ended, in batched look-ups', async () => {
    const rows = Array.from({ length: 400 }, (_, index) =>
      row(`${index % 10 === 0 ? 'mine' : 'other'}-${index}`, 5_000),
    );
    const { body, state } = feed(chunksOf(`[${rows.join(',')}]`, 65_536));
    let asked = 0;
    const given = options({
      ownersOf: (refs) => {
        asked += 1;
        return late(refs);
      },
    });
    const shown = await keepRows(body, given);
    expect(Buffer.isBuffer(shown)).toBe(false);
    expect(state.given).toBeLessThan(31);
    const { text, outcome } = await drain(shown);
    expect(outcome).toBe('ended');
    expect(JSON.parse(text)).toEqual(rows.filter((_, index) => index % 10 === 0).map((each) => JSON.parse(each)));
    expect(asked).toBeLessThanOrEqual(8);
  });

  test('stops reading while the client does not take what is shown', async () => {
    const rows = Array.from({ length: 400 }, (_, index) => row(`mine-${index}`, 5_000));
    const { body, state } = feed(chunksOf(`[${rows.join(',')}]`, 65_536));
    const shown = await keepRows(body, options());
    if (Buffer.isBuffer(shown)) throw new Error('it was expected to flow');
    shown.pipe({ write: () => false, end: () => undefined, fail: () => undefined });
    const before = state.given;
    expect(before).toBeLessThan(8);
    shown.resume();
    // One batch more, and no further.
    expect(state.given).toBeLessThanOrEqual(before + 8);
  });

  test('asks for no owner of what is no id', async () => {
    const asked: string[] = [];
    const given = options({
      ownersOf: (refs) => {
        asked.push(...refs.map(({ id }) => id));
        return options().ownersOf(refs);
      },
    });
    const text = `[${row('MINE')},${row('mine\0')},${row('')},${row('x'.repeat(65))},${row(1)},${row('mine')}]`;
    await keepRows(feed([Buffer.from(text)]).body, given);
    expect(asked).toEqual(['mine']);
  });

  test('goes on reading while owners are looked up, and waits when a batch is full', async () => {
    const rows = Array.from({ length: 400 }, (_, index) => row(`mine-${index}`, 5_000));
    const { body, state } = feed(chunksOf(`[${rows.join(',')}]`, 65_536));
    const answers: Array<() => void> = [];
    const given = options({
      ownersOf: (refs) => new Promise((resolve) => answers.push(() => resolve(refs.map(() => 'me')))),
    });
    const list = keepRows(body, given);
    expect([answers.length, state.given, state.waiting]).toEqual([1, 3, true]);
    let shown: Buffer | BodySource | undefined;
    void list.then((late) => {
      shown = late;
    });
    while (shown === undefined) {
      answers.shift()?.();
      await new Promise(setImmediate);
    }
    expect(state.given).toBeLessThan(16);
  });

  test('ends for a client that is slow to take it, also where the upstream ends during a look-up', async () => {
    const rows = Array.from({ length: 40 }, (_, index) => row(`mine-${index}`, 5_000));
    const text = `[${rows.join(',')}]`;
    const shown = await keepRows(feed(chunksOf(text, 65_536)).body, options({ ownersOf: late }));
    if (Buffer.isBuffer(shown)) throw new Error('it was expected to flow');
    let taken = '';
    await new Promise<void>((resolve, reject) => {
      shown.pipe({
        write(chunk) {
          taken += chunk.toString();
          setImmediate(() => shown.resume());
          return false;
        },
        end: resolve,
        fail: reject,
      });
    });
    expect(taken).toBe(text);
  });

  test.each(['null', '{}', '[1]', '[{"id":"mine","id":"other"}]', '[{"id":"mine"}', `[${row('mine')},${row('other')}`])(
    'is refused as a whole where it is short and not as expected: %s',
    async (text) => {
      const { body, state } = feed(chunksOf(text, 5));
      await expect(keepRows(body, options())).rejects.toMatchObject({ reason: 'answer-unreadable', status: 502 });
      expect(state.aborted).toBe(true);
    },
  );

  test('is cut where it goes wrong after it has begun to flow, and nothing foreign has left', async () => {
    const rows = Array.from({ length: 40 }, (_, index) => row(`mine-${index}`, 5_000));
    const shown = await keepRows(feed(chunksOf(`[${rows.join(',')},${row('other-1')},!`, 65_536)).body, options());
    const { text, outcome } = await drain(shown);
    expect(outcome).toBe('failed');
    expect(text).not.toContain('other');
  });

  test('a row that seems to be the caller’s but is no JSON by itself is not shown', async () => {
    const text = '[{"id":"mine","x":nonsense}]';
    await expect(keepRows(feed([Buffer.from(text)]).body, options())).rejects.toMatchObject({
      reason: 'answer-unreadable',
    });
  });

  test('a row of the caller’s that is not UTF-8 is not shown', async () => {
    const bytes = Buffer.from('[{"id":"mine","x":"?"}]');
    bytes[bytes.indexOf('?')] = 0xff;
    await expect(keepRows(feed([bytes]).body, options())).rejects.toMatchObject({ reason: 'answer-unreadable' });
  });

  test('large rows of others cost nothing; a large row of one’s own is a refusal', async () => {
    const given = options({ maxRowBytes: 1_000 });
    const others = `[${row('other', 5_000)},${row('mine', 10)}]`;
    expect((await drain(await keepRows(feed(chunksOf(others, 512)).body, given))).text).toBe(`[${row('mine', 10)}]`);
    await expect(keepRows(feed(chunksOf(`[${row('mine', 5_000)}]`, 512)).body, given)).rejects.toMatchObject({
      reason: 'answer-too-large',
    });
  });

  test('a look-up that fails and an upstream that breaks off show nothing', async () => {
    const failing = options({ ownersOf: () => Promise.reject(new Error('the ledger is down')) });
    await expect(keepRows(feed([Buffer.from(`[${row('mine')}]`)]).body, failing)).rejects.toThrow('the ledger is down');
    const broken = feed([Buffer.from(`[${row('mine')}`)], new Error('cut')).body;
    await expect(keepRows(broken, options())).rejects.toMatchObject({ reason: 'upstream-broken' });
  });
});
