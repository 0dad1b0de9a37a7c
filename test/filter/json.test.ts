import { describe, expect, test } from 'vitest';
import { parseAnswer, readAnswer, writeAnswer } from '../../src/filter/json.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { BodySink, UpstreamAnswer } from '../../src/model/response.ts';
import { refusalOf } from '../support/bodies.ts';

const reading = (maxBytes: number) => {
  let sink: BodySink | undefined;
  const state = { aborted: 0 };
  const body = {
    whole: () => undefined,
    pipe(to: BodySink) {
      sink = to;
    },
    resume: () => undefined,
    abort: () => {
      state.aborted += 1;
      sink?.fail(new Error('given up'));
    },
  };
  const result = readAnswer({ status: 200, headers: {}, body } satisfies UpstreamAnswer, maxBytes);
  return { sink: sink as unknown as BodySink, state, result };
};

describe('readAnswer', () => {
  test('puts the chunks together', async () => {
    const { sink, result } = reading(10);
    sink.write(Buffer.from('ab'));
    sink.write(Buffer.from('cd'));
    sink.end();
    expect((await result).toString()).toBe('abcd');
  });

  test('takes exactly what is allowed, and nothing', async () => {
    const exact = reading(4);
    exact.sink.write(Buffer.from('abcd'));
    exact.sink.end();
    expect((await exact.result).length).toBe(4);
    const none = reading(4);
    none.sink.end();
    expect((await none.result).length).toBe(0);
  });

  test('refuses one byte more at once, and gives the connection up', async () => {
    const { sink, result, state } = reading(4);
    sink.write(Buffer.from('abcde'));
    expect(await refusalOf(() => result)).toBe('answer-too-large 502');
    expect(state.aborted).toBe(1);
  });

  test('refuses what broke off', async () => {
    const { sink, result } = reading(4);
    sink.write(Buffer.from('ab'));
    sink.fail(new Error('cut'));
    expect(await refusalOf(() => result)).toBe('upstream-broken 502');
  });

  test('says so when it was the client that left', async () => {
    const { sink, result } = reading(4);
    sink.fail(new Rejection('client-gone', 'x'));
    expect(await refusalOf(() => result)).toBe('client-gone 499');
  });
});

describe('an answer that is read and written', () => {
  test.each([
    '{"a":1.0,"b":12345678901234567890,"c":-0,"d":1e400,"e":0.1,"f":1E2,"g":-1.50}',
    '{"__proto__":{"a":1},"constructor":2,"toString":3}',
    '[null,true,"\u2028é😀",{"":""}]',
    '"a"',
    '{"b":1,"a":2,"10":3}'.replace('"10":3', '"c":3'),
  ])('%s is what it was', (text) => {
    expect(writeAnswer(parseAnswer(Buffer.from(text))).toString()).toBe(text);
  });

  test.each(['', ' ', '{', '{"a":1,}', 'NaN', "{'a':1}", '\ufeff[]', '[1] x'])('%j is refused', async (text) => {
    expect(await refusalOf(() => parseAnswer(Buffer.from(text)))).toBe('answer-unreadable 502');
  });

  test('bytes that are no text are refused', async () => {
    expect(await refusalOf(() => parseAnswer(Buffer.from([0x22, 0xc3, 0x28, 0x22])))).toBe('answer-unreadable 502');
  });

  test('the refusal quotes nothing of it', () => {
    expect(() => parseAnswer(Buffer.from('secret'))).toThrow('the answer is not JSON');
  });
});
