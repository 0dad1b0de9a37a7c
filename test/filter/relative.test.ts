import { describe, expect, test } from 'vitest';
import { relativeBody } from '../../src/filter/relative.ts';
import type { BodySink, BodySource } from '../../src/model/response.ts';

/** A body that arrives in these chunks once it is piped. */
const arriving = (chunks: readonly Buffer[], failure?: Error): BodySource => ({
  whole: () => undefined,
  pipe(sink) {
    for (const chunk of chunks) sink.write(chunk);
    if (failure === undefined) sink.end();
    else sink.fail(failure);
  },
  resume: () => undefined,
  abort: () => undefined,
});

const collect = (body: BodySource): { text: string; ended: boolean; failure: Error | undefined } => {
  const chunks: Buffer[] = [];
  const seen = { ended: false, failure: undefined as Error | undefined };
  const sink: BodySink = {
    write: (chunk) => chunks.push(chunk) > 0,
    end: () => {
      seen.ended = true;
    },
    fail: (cause) => {
      seen.failure = cause;
    },
  };
  body.pipe(sink);
  return { text: Buffer.concat(chunks).toString(), ...seen };
};

const TEXT =
  '[{"content":"é ![x](http://localhost:57988/api/file/im_12345678.png) https://127.0.0.1/api/file/a.png"},' +
  '{"content":"http://localhost:57988/api/config and http://example.com/api/file/x.png 日本"}]';
const WANTED =
  '[{"content":"é ![x](/api/file/im_12345678.png) /api/file/a.png"},' +
  '{"content":"http://localhost:57988/api/config and http://example.com/api/file/x.png 日本"}]';

describe('an answer whose addresses become relative while it streams', () => {
  test('reads the same wherever the chunks are cut', () => {
    const bytes = Buffer.from(TEXT);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const body = arriving([bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(collect(relativeBody(body, ['/api/file/']))).toEqual({ text: WANTED, ended: true, failure: undefined });
    }
    const single = arriving([...bytes].map((byte) => Buffer.from([byte])));
    expect(collect(relativeBody(single, ['/api/file/'])).text).toBe(WANTED);
  });

  test('keeps every byte of what is no text at all', () => {
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 31) % 256));
    const chunks: Buffer[] = [];
    relativeBody(arriving([bytes]), ['/api/file/']).pipe({
      write: (chunk) => chunks.push(chunk) > 0,
      end: () => undefined,
      fail: () => undefined,
    });
    expect(Buffer.concat(chunks)).toEqual(bytes);
  });

  test('passes a broken answer on as broken, without the rest that it holds back', () => {
    const failure = new Error('cut');
    const seen = collect(relativeBody(arriving([Buffer.from('http://localhost')], failure), ['/api/file/']));
    expect(seen).toEqual({ text: '', ended: false, failure });
  });
});
