import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/model/json.ts';
import { acknowledgementFrame, eventFrame, type Frame } from '../../src/server/socket-frame.ts';

const partsOf = ({ options }: { options: object }) =>
  (options as { wsPreEncodedFrame: [Buffer, Buffer] }).wsPreEncodedFrame;

const place = (num: number) => ({ _placeholder: true, num });

describe('eventFrame', () => {
  test.each([
    [0, 2],
    [125, 2],
    [126, 4],
    [65_535, 4],
    [65_536, 10],
  ])('frames %i bytes behind a header of %i', (size, headerBytes) => {
    const overhead = eventFrame('e', ['']).bytes;
    const frame = eventFrame('e', ['x'.repeat(Math.max(0, size - overhead))]);
    const [header, data] = partsOf(frame);
    expect(frame.bytes).toBe(Math.max(size, overhead));
    expect(data).toHaveLength(frame.bytes);
    expect(header).toHaveLength(headerBytes);
    expect(header[0]).toBe(0x81);
    expect(data.toString()).toBe(`4${frame.text}`);
  });

  test('holds a Socket.IO event', () => {
    expect(eventFrame('pong', [{ a: 1 }]).text).toBe('2["pong",{"a":1}]');
    expect(eventFrame('pong', []).text).toBe('2["pong"]');
  });

  test('says the same after it was encoded, and is encoded once', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), (name, value) => {
        const frame = eventFrame(name, [value as JsonValue]);
        const { text } = frame;
        const { options } = frame;
        expect(frame.options).toBe(options);
        expect(frame.text).toBe(text);
        expect(frame.bytes).toBe(partsOf(frame)[1].length);
      }),
    );
  });

  test('takes an offset as a further argument, whether it was encoded before or not', () => {
    let encoded = 0;
    const toJSON = (): string => `encoded ${++encoded} times`;
    const frame = eventFrame('e', [{ toJSON } as unknown as JsonValue]);
    const first = frame.withOffset('1"a');
    expect(first.text).toBe('2["e","encoded 1 times","1\\"a"]');
    expect(first.bytes).toBe(partsOf(first)[1].length);
    expect(frame.withOffset('1"a')).toBe(first);
    expect(partsOf(frame)[1].toString()).toBe('42["e","encoded 1 times"]');
    expect(frame.withOffset('2').text).toBe('2["e","encoded 1 times","2"]');
    expect(eventFrame('e', []).withOffset('7').text).toBe('2["e","7"]');
  });
});

describe('attachments', () => {
  const [a, b, c] = [Buffer.from('a'), Buffer.alloc(0), Buffer.from('cc')];
  const sent = ({ attachments }: Frame): string[] => attachments.map(({ data }) => data.toString());

  test('are announced, and follow as binary frames', () => {
    const frame = eventFrame('e', [{ x: place(0), y: [place(1)] }], [a, b]);
    expect(frame.text).toBe('52-["e",{"x":{"_placeholder":true,"num":0},"y":[{"_placeholder":true,"num":1}]}]');
    expect(frame.attachments.map((part) => partsOf(part))).toEqual([
      [Buffer.of(0x82, 1), a],
      [Buffer.of(0x82, 0), b],
    ]);
    expect(frame.bytes).toBe(Buffer.byteLength(frame.text) + 1 + a.length + b.length);
  });

  test('whose placeholder is gone are not sent, and the others are numbered anew', () => {
    const frame = eventFrame('e', [{ y: place(2), x: '[redacted]', z: place(0) }], [a, b, c]);
    expect(frame.text).toBe(
      '52-["e",{"y":{"_placeholder":true,"num":0},"x":"[redacted]","z":{"_placeholder":true,"num":1}}]',
    );
    expect(sent(frame)).toEqual(['cc', 'a']);
  });

  test('that are named twice are sent once', () => {
    const frame = eventFrame('e', [place(1), place(1)], [a, c]);
    expect(frame.text).toBe('51-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]');
    expect(sent(frame)).toEqual(['cc']);
  });

  test('that are all gone leave a plain event', () => {
    expect(eventFrame('e', ['x'], [a])).toMatchObject({ text: '2["e","x"]', attachments: [] });
  });

  test('are sent with an offset too', () => {
    const frame = eventFrame('e', [place(0)], [a]).withOffset('7');
    expect(frame.text).toBe('51-["e",{"_placeholder":true,"num":0},"7"]');
    expect(sent(frame)).toEqual(['a']);
  });

  test.each([2, -1, 0.5, '0', null])('that are not there are a fault: %j', (num) => {
    expect(() => eventFrame('e', [{ _placeholder: true, num }], [a, c])).toThrow(RangeError);
  });

  test('are not looked for where there are none', () => {
    expect(eventFrame('e', [place(3)]).text).toBe('2["e",{"_placeholder":true,"num":3}]');
  });
});

test('an acknowledgement has the number of the event', () => {
  expect(acknowledgementFrame(12, []).text).toBe('312[]');
  expect(acknowledgementFrame(0, [{ status: 'renewed' }]).text).toBe('30[{"status":"renewed"}]');
});
