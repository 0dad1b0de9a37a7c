import { describe, expect, test } from 'vitest';
import { messageLine, wordsOf } from '../support/message-line.ts';
import { principalOf } from '../support/stages.ts';

const delta = (session: unknown, more: object = {}) => ({ kind: 'delta', session_id: session, ...more });

describe('a message of the upstream', () => {
  test('is seen by the connection of its owner, written anew', async () => {
    const { delivered, counted } = await messageLine();
    expect(wordsOf(await delivered(`  ${JSON.stringify(delta('session-ann'))}`))).toBe(
      JSON.stringify(delta('session-ann')),
    );
    expect(counted).toEqual(['delivered none']);
  });

  test('is seen without what the policy hides', async () => {
    const { delivered } = await messageLine();
    const words = wordsOf(await delivered(delta('session-ann', { secret: 's', at: 'http://[::1]:5/api/file/x' })));
    expect(JSON.parse(words)).toMatchObject({ secret: '[redacted]', at: '/api/file/x' });
  });

  test.each([
    ['another’s', delta('session-bob'), 'not-theirs'],
    ['nobody’s', delta('session-xyz'), 'unknown-owner'],
    ['partly another’s', delta('session-ann', { canvas_id: 'canvas-bob' }), 'event-disagrees'],
    ['of an unlisted type', { kind: 'x', session_id: 'session-ann' }, 'unlisted-type'],
    ['unreadable', '{"kind":"delta","session_id":NaN}', 'malformed'],
    ['bytes', Buffer.from('{}'), 'binary'],
  ])('is dropped and counted when it is %s', async (_, message, because) => {
    const { delivered, counted } = await messageLine();
    expect(wordsOf(await delivered(message))).toBe('drop');
    expect(counted).toEqual([`dropped ${because}`]);
  });

  test('is told to the audit only where somebody may have meant it', async () => {
    const { delivered, told } = await messageLine();
    await delivered(delta('session-bob'));
    expect(told).toEqual([]);
    await delivered(delta('session-ann', { canvas_id: 'canvas-bob' }));
    expect(told).toMatchObject([
      {
        outcome: 'refused',
        rejection: { reason: 'event-disagrees' },
        resources: [
          { kind: 'session', id: 'session-ann' },
          { kind: 'canvas', id: 'canvas-bob' },
        ],
      },
    ]);
  });

  test('is nobody’s where nobody is known', async () => {
    const { delivered, counted } = await messageLine({ principal: () => undefined });
    expect(wordsOf(await delivered(delta('session-ann')))).toBe('drop');
    expect(counted).toEqual(['dropped not-theirs']);
  });

  test('is held against who is connected now', async () => {
    let user = 'ann';
    const { delivered } = await messageLine({ principal: () => principalOf(user) });
    expect(wordsOf(await delivered(delta('session-ann')))).not.toBe('drop');
    user = 'bob';
    expect(wordsOf(await delivered(delta('session-ann')))).toBe('drop');
  });

  test('teaches what the server made before it is seen, and nothing of another’s', async () => {
    const { delivered, ledger } = await messageLine();
    const image = { kind: 'image', session_id: 'session-ann', url: '/api/file/im_abcd.png' };
    expect(wordsOf(await delivered({ ...image, session_id: 'session-bob' }))).toBe('drop');
    const ref = { kind: 'file', id: 'im_abcd.png' };
    expect(await ledger.find([ref])).toEqual([undefined]);
    expect(wordsOf(await delivered(image))).toBe(JSON.stringify(image));
    expect(await ledger.find([ref])).toMatchObject([{ owner: 'test|ann', origin: 'event' }]);
  });

  test('is dropped when what it teaches is another’s, or cannot be recorded', async () => {
    const image = { kind: 'image', session_id: 'session-ann', url: '/api/file/im_abcd.png' };
    const one = await messageLine({ stages: { learn: async () => 'conflict' } });
    expect(wordsOf(await one.delivered(image))).toBe('drop');
    const other = await messageLine({ stages: { learn: () => Promise.reject(new Error('down')) } });
    expect(wordsOf(await other.delivered(image))).toBe('drop');
    expect([...one.counted, ...other.counted]).toEqual(['dropped learn-conflict', 'dropped ledger-unavailable']);
  });

  test('is dropped when it cannot be written, and that is reported', async () => {
    const { delivered, counted, reported } = await messageLine({
      stages: {
        write: () => {
          throw new RangeError('too deep');
        },
      },
    });
    expect(wordsOf(await delivered({ kind: 'hello' }))).toBe('drop');
    expect([counted, reported.length]).toEqual([['dropped undeliverable'], 1]);
  });
});

describe('where the policy is not in effect', () => {
  test('a message passes as it came, and what would have been withheld is told', async () => {
    const { delivered, told, counted } = await messageLine({ mode: 'shadow' });
    const text = ` ${JSON.stringify(delta('session-bob', { secret: 1 }))}`;
    expect(wordsOf(await delivered(text))).toBe(text);
    expect(wordsOf(await delivered(Buffer.from([1])))).toBe('bytes');
    expect(told.flatMap(({ findings }) => findings)).toEqual([
      { would: 'withhold', event: 'delta', because: 'not-theirs', sockets: 1, of: 1 },
      { would: 'withhold', event: 'message', because: 'binary', sockets: 1, of: 1 },
    ]);
    expect(counted).toContain('would-withhold not-theirs');
  });

  test('a ledger that is down is not waited for', async () => {
    let asked = 0;
    const { delivered } = await messageLine({
      mode: 'shadow',
      stages: {
        ownersOf() {
          asked += 1;
          throw new Error('down');
        },
      },
    });
    expect(wordsOf(await delivered(delta('session-ann')))).toBe(JSON.stringify(delta('session-ann')));
    expect(asked).toBe(1);
  });

  test('nothing is judged where it is off', async () => {
    const { delivered, told, counted } = await messageLine({ mode: 'off' });
    expect(wordsOf(await delivered('no json'))).toBe('no json');
    expect([told, counted]).toEqual([[], ['unfiltered none']]);
  });
});
