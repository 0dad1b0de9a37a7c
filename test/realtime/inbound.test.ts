import { describe, expect, test } from 'vitest';
import { inbound } from '../../src/realtime/inbound.ts';

const accept = new Map([['ping', 'pong']]);
const judge = (more: Partial<Parameters<typeof inbound>[0]> = {}) => inbound({ accept, ...more })();

describe('a packet', () => {
  test.each([
    '0',
    '0{"token":"x"}',
    '0/,{"token":"x"}',
    '0/other,{"token":"x"}',
    '0/other',
    '1',
    '2["ping"]',
    '2["ping",{"a":[1]}]',
    '27["ping"]',
    '2/,7["ping"]',
    `2["ping",${JSON.stringify('['.repeat(5_000))}]`,
    `2["ping",${JSON.stringify('\\"[['.repeat(100))}]`,
    `2["ping",${'['.repeat(63)}${']'.repeat(63)}]`,
  ])('is fine: %s', (text) => {
    expect(judge().packet(text, 0)).toBe('fine');
  });

  test.each([
    ['nothing', ''],
    ['a type that does not exist', '9'],
    ['a letter', 'x'],
    ['a CONNECT_ERROR', '4{"message":"x"}'],
    ['an acknowledgement nobody asked for', '30["x"]'],
    ['a binary event', '51-["ping",{"_placeholder":true,"num":0}]'],
    ['a binary acknowledgement', '61-0["x"]'],
    ['a binary attachment', Buffer.from('x')],
    ['an event that is no list', '2{"a":1}'],
    ['an event that is nothing', '2'],
    ['an event of another namespace', '2/other,["ping"]'],
    ['a DISCONNECT with something behind it', '1["x"]'],
    ['a CONNECT with a list', '0["x"]'],
    ['a CONNECT with an id', '07{}'],
    ['an endless id', `2${'9'.repeat(16)}["ping"]`],
    ['an id of white space', '2 ["ping"]'],
    ['an endless namespace', `0/${'a'.repeat(500)},{}`],
    ['65 brackets', `2["ping",${'['.repeat(64)}${']'.repeat(64)}]`],
    ['50,000 brackets', `2["ping",${'['.repeat(50_000)}`],
    ['65 braces', `2["ping",${'{"a":'.repeat(64)}1${'}'.repeat(64)}]`],
  ])('is malformed: %s', (_, data) => {
    expect(judge().packet(data, 0)).toBe('malformed');
  });

  test('that connects comes once', () => {
    const one = judge();
    expect([one.packet('0{}', 0), one.packet('0{}', 0)]).toEqual(['fine', 'malformed']);
  });

  test('that connects to other namespaces is malformed in the end', () => {
    const one = judge({ maxRefused: 3 });
    expect([1, 2, 3, 4].map(() => one.packet('0/other', 0))).toEqual(['fine', 'fine', 'fine', 'malformed']);
  });

  test('may come in a burst, and then at a pace', () => {
    const one = judge({ packetsPerSecond: 10, burst: 5 });
    const at = (millis: number) => one.packet(undefined, millis);
    expect([1, 2, 3, 4, 5, 6].map(() => at(0))).toEqual(['fine', 'fine', 'fine', 'fine', 'fine', 'too-fast']);
    const later = judge({ packetsPerSecond: 10, burst: 5 });
    const verdicts = Array.from({ length: 1_000 }, (_, n) => later.packet(undefined, n * 100));
    expect(new Set(verdicts)).toEqual(new Set(['fine']));
  });

  test('is not punished for a clock that was set back', () => {
    const one = judge({ packetsPerSecond: 10, burst: 5 });
    one.packet(undefined, 1_000_000);
    one.packet(undefined, 0);
    expect(one.packet(undefined, 1_000)).toBe('fine');
  });
});

describe('an event', () => {
  test('that is listed has its reply and its payload', () => {
    expect(judge().event(['ping', { a: 1 }])).toEqual({ accepted: true, reply: 'pong', payload: [{ a: 1 }] });
    expect(judge().event(['ping'])).toEqual({ accepted: true, reply: 'pong', payload: [] });
  });

  test.each([
    ['session_update', 'event-refused'],
    ['pong', 'event-refused'],
    ['PING', 'event-refused'],
    ['__proto__', 'event-refused'],
    ['', 'event-refused'],
    [7, 'packet-invalid'],
    [undefined, 'packet-invalid'],
  ])('named %j is refused', (name, reason) => {
    expect(judge().event([name, {}])).toMatchObject({ accepted: false, reason, final: false });
  });

  test('with two payloads is refused', () => {
    expect(judge().event(['ping', 1, 2])).toMatchObject({ accepted: false, reason: 'packet-invalid' });
  });

  test('that is refused too often is the last', () => {
    const one = judge({ maxRefused: 3 });
    const finals = [1, 2, 3].map(() => one.event(['x'])).map((verdict) => !verdict.accepted && verdict.final);
    expect(finals).toEqual([false, false, true]);
  });

  test('keeps a long name out of the record', () => {
    const verdict = judge().event(['x'.repeat(90_000)]);
    expect(!verdict.accepted && verdict.detail.length).toBeLessThan(100);
  });
});

test.each([{ packetsPerSecond: 0 }, { burst: 0 }])('refuses the options %j', (more) => {
  expect(() => judge(more)).toThrow(TypeError);
});
