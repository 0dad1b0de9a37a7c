import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpensRule } from '../../src/model/event.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { type OpensOptions, opens } from '../../src/realtime/opens.ts';
import { file } from '../support/session-events.ts';

const inPieces: OpensRule = { kind: file, text: parseFieldPath('text'), call: parseFieldPath('id') };
const whole: OpensRule = { ...inPieces, call: undefined };
const run = (id = 's1') => ({ kind: 'session', id });
const NAME = 'im_abcdefgh.png';

/** Reads texts of one call, and returns all that they name. */
const reader = (options: OpensOptions = {}) => {
  const all = opens(options);
  const read = (text: unknown, { session = 's1', call = 'c1', rule = inPieces, type = 'arguments' } = {}) =>
    all.read(run(session), rule, { type, payload: { id: call, text } as JsonObject });
  return { ...all, read };
};

const namesIn = (...pieces: readonly string[]): string[] => {
  const { read } = reader();
  return pieces.flatMap((piece) => read(piece).refs.map(({ id }) => id));
};
const pathsIn = (...pieces: readonly string[]): string[] => {
  const { read } = reader();
  return pieces.flatMap((piece) => read(piece).paths);
};

describe('a name is found', () => {
  test.each([
    ['as it is', `{"input_images":["${NAME}"]}`],
    ['below a path', `{"input_images":["a/b/${NAME}"]}`],
    ['below the URL of its kind', `{"input_images":["/api/file/${NAME}"]}`],
    ['in an URL of the server', `{"input_images":["http://localhost:57988/api/file/${NAME}"]}`],
    ['in prose', `{"prompt":"as in ${NAME}, but blue"}`],
    ['glued to other letters', `{"prompt":"xx${NAME}yy"}`],
    ['with JSON escapes', '{"input_images":["\\u0069m\\u005fabcdefgh.png"]}'],
    ['with JSON escapes in a text inside the text', '{"list":"[\\"\\\\u0069m_abcdefgh.png\\"]"}'],
    ['with escapes of an URL', '{"input_images":["%69m_abcdefgh%2Epng"]}'],
    ['behind an escaped stroke', `{"input_images":["\\/api\\/file\\/${NAME}"]}`],
    ['in arguments that are no JSON', NAME],
    ['in a key', `{"${NAME}":1}`],
  ])('%s', (_, text) => {
    expect(namesIn(text)).toContain(NAME);
  });

  test('in pieces of one character, and once', () => {
    const text = `{"a":["${NAME}","${NAME}"]}`;
    expect(namesIn(...text).filter((name) => name === NAME)).toEqual([NAME]);
  });

  test('in arguments that are an object, as the text that they would be', () => {
    const { read } = reader();
    const found = read({ input_images: [NAME, '/etc/x.png'] });
    expect(found.refs.map(({ id }) => id)).toContain(NAME);
    expect(found.paths).toEqual(['/etc/x.png']);
  });

  test('again in another call, another type, and another run', () => {
    const { read } = reader();
    const found = [{}, { call: 'c2' }, { type: 'pending' }, { session: 's2' }, {}].map(
      (where) => read(NAME, where).refs.filter(({ id }) => id === NAME).length,
    );
    expect(found).toEqual([1, 1, 1, 1, 0]);
  });

  test('with those that begin inside it and those that end there, and no other', () => {
    expect(namesIn(`xx${NAME}`).sort()).toEqual([NAME, 'im_abcdefgh.pn', 'm_abcdefgh.png', 'm_abcdefgh.pn'].sort());
  });

  test('and not where it is reserved', () => {
    const { refs } = reader().read(NAME, { rule: { ...inPieces, kind: { ...file, reserved: new Set([NAME]) } } });
    expect(refs.map(({ id }) => id)).not.toContain(NAME);
  });

  test('wherever its text was cut, and however it is written', () => {
    const escaped = fc
      .array(fc.nat(2), { minLength: NAME.length, maxLength: NAME.length })
      .map((ways) => [...NAME].map((letter, index) => written(letter, ways[index] ?? 0)).join(''));
    fc.assert(
      fc.property(escaped, fc.array(fc.nat(120)), (name, cuts) => {
        const text = `{"prompt":"like \\"this\\"","input_images":["${name}"]}`;
        const ends = [...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
        expect(namesIn(...ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end)))).toContain(NAME);
      }),
    );
  });
});

const written = (letter: string, way: number): string => {
  const code = letter.charCodeAt(0).toString(16).padStart(4, '0');
  return [letter, `\\u${code}`, `%${code.slice(2)}`][way] ?? letter;
};

describe('a path of the host is found', () => {
  test('as a value, with its escapes undone, in pieces', () => {
    expect(pathsIn('{"input_images":["\\u002fx', '\\/x.p', 'ng"]}')).toEqual(['/x/x.png']);
  });

  test('in a text that never becomes whole', () => {
    expect(pathsIn('{"input_images":["/etc/x.png')).toEqual(['/etc/x.png']);
  });

  test('in a list that is written as a text', () => {
    expect(pathsIn(JSON.stringify({ input_images: JSON.stringify(['../x.png']) }))).toEqual(['../x.png']);
  });

  test('and not in prose, nor as a file of the server', () => {
    const prompt = JSON.stringify('a sign that says "/a/b.png" or /a/b.png');
    expect(pathsIn(`{"prompt":${prompt},"input_images":["/api/file/${NAME}","b.png"]}`)).toEqual([]);
  });
});

describe('texts', () => {
  test('of two calls are not joined', () => {
    const { read } = reader();
    const found = ['im_abcd', 'efgh.png'].flatMap((text, index) => read(text, { call: `c${index}` }).refs);
    expect(found.map(({ id }) => id)).not.toContain(NAME);
  });

  test('that are whole are not joined, and nothing is kept of them', () => {
    const { read, held } = reader();
    const found = ['im_abcd', 'efgh.png', NAME].map((text) => read(text, { rule: whole }).refs.map(({ id }) => id));
    expect(found.map((ids) => ids.includes(NAME))).toEqual([false, false, true]);
    expect(held().characters).toBe(0);
  });

  test('without an id of their call are those of one', () => {
    const all = opens();
    const read = (text: string) => all.read(run(), inPieces, { type: 'arguments', payload: { text } }).refs;
    expect(['im_abcd', 'efgh.png'].flatMap(read).map(({ id }) => id)).toContain(NAME);
  });

  test('of which there are none name nothing', () => {
    expect(opens().read(run(), inPieces, { type: 'arguments', payload: {} })).toEqual({
      refs: [],
      paths: [],
      unread: false,
    });
  });
});

describe('a run of which not all can be looked at says so', () => {
  test('for a call that is too long, and from then on', () => {
    const { read } = reader({ maxTextLength: 20 });
    expect([read('x'.repeat(20)).unread, read('x').unread, read('x', { call: 'c2' }).unread]).toEqual([
      false,
      true,
      true,
    ]);
    expect(read('x', { session: 's2' }).unread).toBe(false);
  });

  test('for too many names in one call', () => {
    const { read } = reader({ maxNames: 3 });
    expect(read(['im_aaaaaaaa.p', 'im_bbbbbbbb.p'].join(' ')).unread).toBe(false);
    const names = Array.from({ length: 4 }, (_, index) => `im_${index}aaaaaaa.png`);
    expect(read(names.join(' '), { session: 's2' }).unread).toBe(true);
  });

  test('for too many calls', () => {
    const { read } = reader({ maxCalls: 2 });
    expect(['c1', 'c2', 'c1', 'c3', 'c1'].map((call) => read('x', { call }).unread)).toEqual([
      false,
      false,
      false,
      true,
      true,
    ]);
  });

  test('for the id of a call that is no id', () => {
    expect(reader().read('x', { call: 'c'.repeat(2_000) }).unread).toBe(true);
  });

  test('for calls of which little is kept, but which are too many in all', () => {
    const { read, held } = reader({ maxCharacters: 20_000 });
    const told = Array.from({ length: 20 }, (_, call) => read('', { call: `c${call}` }).unread);
    expect(told.filter((unread) => unread).length).toBeGreaterThan(10);
    expect(held().characters).toBeLessThanOrEqual(20_000);
  });

  test('for the most of what is kept of all runs, and for no other', () => {
    const { read, held } = reader({ maxCharacters: 10_000 });
    read('x'.repeat(40), { session: 'small' });
    const large = ['c1', 'c2', 'c3'].map((call) => read('x'.repeat(250), { session: 'large', call }).unread);
    expect(large).toEqual([false, true, true]);
    expect(read('x', { session: 'small' }).unread).toBe(false);
    expect(held().characters).toBeLessThanOrEqual(10_000);
  });
});

describe('what is kept', () => {
  test('is there when the run seems to be over, for another one may speak', () => {
    const { read, ended } = reader();
    read('im_abcd');
    ended(run());
    ended(run('s2'));
    expect(read('efgh.png').refs.map(({ id }) => id)).toContain(NAME);
  });

  test('is no name that was told of a run that is over: the next one may say it again', () => {
    const { read, ended } = reader({ maxNames: 12, maxTextLength: NAME.length });
    for (const _ of [1, 2]) {
      const { refs, unread } = read(NAME);
      expect([refs.some(({ id }) => id === NAME), unread]).toEqual([true, false]);
      ended(run());
    }
  });

  test('is that a run was given up, until that was said', () => {
    const { read, ended } = reader({ maxCharacters: 8_000 });
    read('x'.repeat(250), { session: 'large' });
    for (const session of ['s1', 's2']) read('', { session });
    ended(run('large'));
    expect(read('x', { session: 'large' }).unread).toBe(true);
    ended(run('large'));
    expect(read('x', { session: 'large' }).unread).toBe(false);
  });

  test('is nothing of a run that was given up, once it is over', () => {
    const { read, ended, held } = reader({ maxTextLength: 20 });
    read('x'.repeat(21));
    ended(run());
    expect(held()).toEqual({ runs: 0, characters: 0 });
    expect(read(NAME).unread).toBe(false);
  });

  test('is gone with a call that was silent for too long', () => {
    let millis = 0;
    const { read, held } = reader({ maxAgeMillis: 10, maxCalls: 2, now: () => millis });
    read('im_abcd');
    const one = held().characters;
    millis = 6;
    read('im_abcd', { call: 'c2' });
    millis = 12;
    expect(read('efgh.png').refs.map(({ id }) => id)).not.toContain(NAME);
    expect(read('efgh.png', { call: 'c2' }).refs.map(({ id }) => id)).toContain(NAME);
    millis = 30;
    read('im_abcd', { call: 'c3' });
    expect(held()).toEqual({ runs: 1, characters: one });
  });

  test('is gone when the run was silent for too long', () => {
    let millis = 0;
    const { read, held } = reader({ maxAgeMillis: 10, now: () => millis });
    read('im_abcd');
    millis = 11;
    read('x', { session: 's2' });
    expect(held().runs).toBe(1);
  });

  test('is of the runs that spoke last', () => {
    const { read, held } = reader({ maxRuns: 2 });
    for (const session of ['s1', 's2', 's1', 's3']) read('im_abcd', { session });
    expect(held().runs).toBe(2);
    expect(read('efgh.png', { session: 's1' }).refs.map(({ id }) => id)).toContain(NAME);
  });

  test('does not grow with the text', () => {
    const { read, held } = reader();
    for (let i = 0; i < 200; i += 1) read('a sentence without a name in it. '.repeat(20));
    expect(held().characters).toBeLessThan(10_000);
  });
});

test.each(['maxTextLength', 'maxNames', 'maxCalls', 'maxRuns', 'maxCharacters', 'maxAgeMillis'])(
  'a bound %s of nothing is refused',
  (name) => {
    expect(() => opens({ [name]: 0 })).toThrow(name);
  },
);
