import { describe, expect, test } from 'vitest';
import { inbound } from '../../src/realtime/inbound.ts';

const accept = new Map([['ping', 'pong']]);
const judge = (more: Partial<Parameters<typeof inbound>[0]> = {}) => inbound({ accept, ...more })();

const place = (num: unknown) => ({ _placeholder: true, num });
const binary = (announced: number | string, ...args: unknown[]) => `5${announced}-${JSON.stringify(['ping', ...args])}`;

describe('a packet', () => {
  test.each(['0', '0{"token":"x"}', '0/,{"token":"x"}', '0/other,{"token":"x"}', '0/other', '1'])(
    'is fine for Socket.IO: %s',
    (text) => {
      expect(judge().packet(text, 0)).toBe('fine');
    },
  );

  test.each([
    ['2["ping"]', ['ping'], undefined],
    ['2["ping",{"a":[1]}]', ['ping', { a: [1] }], undefined],
    ['27["ping"]', ['ping'], 7],
    ['20["ping"]', ['ping'], 0],
    ['2/,7["ping"]', ['ping'], 7],
    ['2["ping",{"_placeholder":true,"num":0}]', ['ping', place(0)], undefined],
  ])('is an event: %s', (text, args, id) => {
    expect(judge().packet(text, 0)).toEqual({ args, id, attachments: [] });
  });

  test.each([
    `2["ping",${JSON.stringify('['.repeat(5_000))}]`,
    `2["ping",${JSON.stringify('\\"[['.repeat(100))}]`,
    `2["ping",${'['.repeat(63)}${']'.repeat(63)}]`,
  ])('may hold brackets in strings, and 64 outside: %#', (text) => {
    expect(judge().packet(text, 0)).toHaveProperty('args');
  });

  test.each([
    ['nothing', ''],
    ['a type that does not exist', '9'],
    ['a letter', 'x'],
    ['a CONNECT_ERROR', '4{"message":"x"}'],
    ['an acknowledgement nobody asked for', '30["x"]'],
    ['a binary acknowledgement', '61-0["x"]'],
    ['a binary attachment of nothing', Buffer.from('x')],
    ['what is no packet', { data: 'x' }],
    ['an event that is no list', '2{"a":1}'],
    ['an event that is nothing', '2'],
    ['an event that is no JSON', '2["ping",}]'],
    ['an event with more behind it', '2["ping"]]'],
    ['an event of another namespace', '2/other,["ping"]'],
    ['a DISCONNECT with something behind it', '1["x"]'],
    ['a CONNECT with a list', '0["x"]'],
    ['a CONNECT with an id', '07{}'],
    ['a CONNECT that is no JSON', '0{"token":x}'],
    ['an endless id', `2${'9'.repeat(16)}["ping"]`],
    ['an id of white space', '2 ["ping"]'],
    ['an endless namespace', `0/${'a'.repeat(500)},{}`],
    ['65 brackets', `2["ping",${'['.repeat(64)}${']'.repeat(64)}]`],
    ['50,000 brackets', `2["ping",${'['.repeat(50_000)}`],
    ['65 braces', `2["ping",${'{"a":'.repeat(64)}1${'}'.repeat(64)}]`],
    ['65 brackets of a binary event', `51-["ping",${'['.repeat(64)}${']'.repeat(64)}]`],
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

describe('attachments', () => {
  const [a, b] = [Buffer.from('a'), Buffer.alloc(0)];

  test('complete their event in the order in which they were announced', () => {
    const one = judge();
    expect(one.packet('52-7["ping",{"x":[{"_placeholder":true,"num":1}],"y":{"_placeholder":true,"num":0}}]', 0)).toBe(
      'part',
    );
    expect(one.packet(a, 0)).toBe('part');
    // A heartbeat is the transport's, and may come at any time.
    expect(one.packet(undefined, 0)).toBe('fine');
    expect(one.packet(b, 0)).toEqual({ args: ['ping', { x: [place(1)], y: place(0) }], id: 7, attachments: [a, b] });
    expect(one.packet('2["ping"]', 0)).toHaveProperty('args');
    expect(one.packet(a, 0)).toBe('malformed');
  });

  test.each([
    ['announced and not placed', binary(1, 'x')],
    ['placed beyond what was announced', binary(1, place(1))],
    ['placed twice', binary(1, place(0), place(0))],
    ['placed twice instead of one another', binary(2, place(0), place(0))],
    ['fewer than placed', binary(1, place(0), place(1))],
    ['numbered by a text', binary(1, place('0'))],
    ['numbered by a fraction', binary(2, place(0), place(0.5))],
    ['numbered below zero', binary(1, place(-1))],
    ['not numbered', binary(1, { _placeholder: true })],
    ['none', binary(0)],
    ['not counted', binary('', place(0))],
    ['counted with a sign', binary('-1', place(0))],
    ['counted with a zero before it', binary('01', place(0))],
    ['too many', binary(11, ...Array.from({ length: 11 }, (_, num) => place(num)))],
    ['endlessly many', binary('9'.repeat(400))],
    ['of another namespace', '51-/other,["ping",{"_placeholder":true,"num":0}]'],
  ])('are malformed: %s', (_, text) => {
    expect(judge().packet(text, 0)).toBe('malformed');
  });

  test('may be ten, and as many as the option says', () => {
    const text = (count: number) => binary(count, ...Array.from({ length: count }, (_, num) => place(num)));
    expect(judge().packet(text(10), 0)).toBe('part');
    expect(judge({ maxAttachments: 2 }).packet(text(2), 0)).toBe('part');
    expect(judge({ maxAttachments: 2 }).packet(text(3), 0)).toBe('malformed');
  });

  test.each(['2["ping"]', '0{}', '1', '51-["ping",{"_placeholder":true,"num":0}]', ''])(
    'are not interrupted by %j',
    (text) => {
      const one = judge();
      one.packet(binary(1, place(0)), 0);
      expect(one.packet(text, 0)).toBe('malformed');
    },
  );

  test('of one event are bounded together, and each counts as a packet', () => {
    const one = judge({ maxAttachedBytes: 10 });
    one.packet(binary(2, place(0), place(1)), 0);
    expect([one.packet(Buffer.alloc(6), 0), one.packet(Buffer.alloc(5), 0)]).toEqual(['part', 'malformed']);
    const fits = judge({ maxAttachedBytes: 10 });
    for (let n = 0; n < 2; n += 1) {
      fits.packet(binary(2, place(0), place(1)), 0);
      expect(fits.packet(Buffer.alloc(4), 0)).toBe('part');
      expect(fits.packet(Buffer.alloc(6), 0)).toHaveProperty('attachments');
    }
    const paced = judge({ packetsPerSecond: 1, burst: 2 });
    paced.packet(binary(2, place(0), place(1)), 0);
    expect([paced.packet(a, 0), paced.packet(a, 0)]).toEqual(['part', 'too-fast']);
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
