import { describe, expect, test } from 'vitest';
import { copied } from '../../src/filter/copy.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { BodySink, BodySource } from '../../src/model/response.ts';

/** A source that is driven by hand. */
const driven = (ready?: Buffer) => {
  const state: { sink: BodySink | undefined; resumed: number; aborted: boolean } = {
    sink: undefined,
    resumed: 0,
    aborted: false,
  };
  const body: BodySource = {
    whole: () => ready,
    pipe(sink) {
      state.sink = sink;
    },
    resume() {
      state.resumed += 1;
    },
    abort() {
      state.aborted = true;
    },
  };
  return { body, state };
};

/** A sink that takes notes, and says whether it wants more. */
const noting = (more = () => true) => {
  const heard: string[] = [];
  const sink: BodySink = {
    write(chunk) {
      heard.push(chunk.toString());
      return more();
    },
    end: () => void heard.push('end'),
    fail: (cause) => void heard.push(`fail ${cause instanceof Rejection ? cause.reason : cause.message}`),
  };
  return { heard, sink };
};

describe('the copy', () => {
  test('is the same bytes, for an answer that streams', () => {
    const { body, state } = driven();
    const { passing, copy, broken } = copied(body);
    const [judge, client] = [noting(), noting()];
    copy.pipe(judge.sink);
    passing.pipe(client.sink);
    state.sink?.write(Buffer.from('a'));
    state.sink?.write(Buffer.from('b'));
    state.sink?.end();
    expect(client.heard).toEqual(['a', 'b', 'end']);
    expect(judge.heard).toEqual(client.heard);
    expect(broken()).toBe(false);
  });

  test('and for one that is here already', () => {
    const { passing, copy } = copied(driven(Buffer.from('all')).body);
    const judge = noting();
    copy.pipe(judge.sink);
    expect(passing.whole()?.toString()).toBe('all');
    expect(judge.heard).toEqual(['all', 'end']);
  });

  test('waits for a slow judge, the client does not', () => {
    const { body, state } = driven();
    const { passing, copy } = copied(body);
    let ready = false;
    const [judge, client] = [noting(() => ready), noting()];
    copy.pipe(judge.sink);
    passing.pipe(client.sink);
    for (const text of ['a', 'b', 'c']) expect(state.sink?.write(Buffer.from(text))).toBe(true);
    state.sink?.end();
    expect(client.heard).toEqual(['a', 'b', 'c', 'end']);
    expect(judge.heard).toEqual(['a']);
    copy.resume();
    expect(judge.heard).toEqual(['a', 'b']);
    ready = true;
    copy.resume();
    expect(judge.heard).toEqual(['a', 'b', 'c', 'end']);
  });

  test('is given up when too much waits, and the client hears nothing of it', () => {
    const { body, state } = driven();
    const { passing, copy, broken } = copied(body, 10);
    const [judge, client] = [noting(() => false), noting()];
    copy.pipe(judge.sink);
    passing.pipe(client.sink);
    for (let index = 0; index < 20; index += 1) state.sink?.write(Buffer.from('xxxxx'));
    state.sink?.end();
    expect(client.heard).toHaveLength(21);
    expect(judge.heard).toEqual(['xxxxx', 'fail answer-too-large']);
    expect(broken()).toBe(false);
  });

  test('is not kept when nobody judges it', () => {
    const { body, state } = driven();
    const { passing, copy } = copied(body, 10);
    copy.abort();
    const client = noting();
    passing.pipe(client.sink);
    for (let index = 0; index < 20; index += 1) state.sink?.write(Buffer.from('xxxxx'));
    expect(client.heard).toHaveLength(20);
  });

  test('a client that wants to be waited for is', () => {
    const { body, state } = driven();
    const { passing, copy } = copied(body);
    copy.pipe(noting().sink);
    passing.pipe(noting(() => false).sink);
    expect(state.sink?.write(Buffer.from('a'))).toBe(false);
    passing.resume();
    expect(state.resumed).toBe(1);
  });
});

describe('half an answer', () => {
  test('is said to be half, where the upstream broke off', () => {
    const { body, state } = driven();
    const { passing, copy, broken } = copied(body);
    const [judge, client] = [noting(), noting()];
    copy.pipe(judge.sink);
    passing.pipe(client.sink);
    state.sink?.write(Buffer.from('a'));
    state.sink?.fail(new Error('gone'));
    expect([judge.heard, client.heard]).toEqual([
      ['a', 'fail gone'],
      ['a', 'fail gone'],
    ]);
    expect(broken()).toBe(true);
  });

  test('and where the client left, before or after it was piped', () => {
    const { body, state } = driven();
    const { passing, copy, broken } = copied(body);
    const judge = noting();
    copy.pipe(judge.sink);
    passing.abort();
    expect(judge.heard).toEqual(['fail the answer was given up']);
    expect([broken(), state.aborted]).toEqual([true, true]);
  });
});
