import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundaryOf, encodeMultipart, parseMultipart } from '../../src/body/multipart.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { MultipartPart } from '../../src/model/request.ts';
import { refusalOf } from '../support/bodies.ts';

const part = (given: Partial<MultipartPart>): MultipartPart => ({
  name: 'file',
  fileName: undefined,
  contentType: undefined,
  content: Buffer.from('x'),
  ...given,
});

describe('the boundary', () => {
  test.each([
    ['multipart/form-data; boundary=----WebKitFormBoundaryAbC123', '----WebKitFormBoundaryAbC123'],
    ['multipart/form-data; boundary="a b"', undefined],
    ['multipart/form-data; boundary="(a)+_,./:=?-"', '(a)+_,./:=?-'],
    ['Multipart/Form-Data;boundary=x', 'x'],
    [`multipart/form-data; boundary=${'b'.repeat(70)}`, 'b'.repeat(70)],
  ])('of %s is %s', (contentType, boundary) => {
    expect(boundaryOf(contentType)).toBe(boundary);
  });
});

describe('a form as browsers send it', () => {
  test('is read as it is', () => {
    const bytes = Buffer.concat([
      Buffer.from('--x\r\nContent-Disposition: form-data; name="file"; filename="Kätzchen %22.PNG"\r\n'),
      Buffer.from('Content-Type: image/png\r\n\r\n'),
      Buffer.from([0, 13, 10, 45, 45, 255]),
      Buffer.from('\r\n--x\r\ncontent-disposition: form-data; name="note"\r\n\r\n\r\n--x--\r\n'),
    ]);
    expect(parseMultipart(bytes, 'x')).toEqual([
      part({ fileName: 'Kätzchen %22.PNG', contentType: 'image/png', content: Buffer.from([0, 13, 10, 45, 45, 255]) }),
      part({ name: 'note', content: Buffer.alloc(0) }),
    ]);
  });

  test('may end without the last line end, and name the type first', () => {
    const head = 'Content-Type: image/png\r\nContent-Disposition: form-data; name="file"; filename=""';
    expect(parseMultipart(Buffer.from(`--x\r\n${head}\r\n\r\nx\r\n--x--`), 'x')).toEqual([
      part({ fileName: '', contentType: 'image/png' }),
    ]);
  });

  test('is read without copying the file', () => {
    const bytes = Buffer.from('--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc\r\n--x--');
    expect(parseMultipart(bytes, 'x')[0]?.content.buffer).toBe(bytes.buffer);
  });

  test('is read as the platform writes it', async () => {
    const form = new FormData();
    form.append('file', new File(['pixels'], 'a.png', { type: 'image/png' }));
    form.append('note', 'text');
    const response = new Response(form);
    const boundary = boundaryOf(response.headers.get('content-type') ?? '');
    expect(boundary).toBeDefined();
    const parts = parseMultipart(Buffer.from(await response.arrayBuffer()), boundary ?? '');
    expect(parts.map(({ name, fileName, content }) => [name, fileName, content.toString()])).toEqual([
      ['file', 'a.png', 'pixels'],
      ['note', undefined, 'text'],
    ]);
  });
});

describe('the form for the upstream', () => {
  test.each([
    ['cat.png', 'upload.png'],
    ['CAT.PNG', 'upload.png'],
    ['../../etc/passwd', 'upload'],
    ['a.tar.gz', 'upload.gz'],
    ['.png', 'upload.png'],
    ['a.toolong', 'upload'],
    ['a.p"ng', 'upload'],
    ['a.png\r\nX: y', 'upload'],
    ['Kätzchen', 'upload'],
    ['', 'upload'],
  ])('tells the file name %j as %s', (fileName, expected) => {
    const { body } = encodeMultipart([part({ fileName })]);
    expect(body[0]?.toString()).toContain(`name="file"; filename="${expected}"\r\n`);
  });

  test('has a new boundary each time, and the very bytes of the content', () => {
    const given = part({ content: Buffer.from('abc') });
    const first = encodeMultipart([given]);
    expect(first.contentType).not.toBe(encodeMultipart([given]).contentType);
    expect(first.body[1]).toBe(given.content);
  });

  test('has a boundary that is not in the content', () => {
    const boundaries = ['in-the-content', 'free'];
    const given = part({ content: Buffer.from('a in-the-content b') });
    const { contentType } = encodeMultipart([given], () => boundaries.shift() ?? '');
    expect(contentType).toBe('multipart/form-data; boundary=free');
  });

  test('reads back as it was, for any content', () => {
    const parts = fc.uniqueArray(
      fc.record({
        name: fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/),
        fileName: fc.constantFrom(undefined, 'upload', 'upload.png'),
        contentType: fc.constantFrom(undefined, 'image/png', 'application/octet-stream'),
        content: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      }),
      { minLength: 1, maxLength: 16, selector: ({ name }) => name },
    );
    fc.assert(
      fc.property(parts, (given) => {
        const { contentType, body } = encodeMultipart(given);
        expect(parseMultipart(Buffer.concat(body), boundaryOf(contentType) ?? '')).toEqual(given);
      }),
      { numRuns: 100 },
    );
  });
});

test('a form of no parts is refused', async () => {
  expect(await refusalOf(() => parseMultipart(Buffer.from('--b--'), 'b'))).toBe('multipart-malformed 400');
});

test('throws nothing but a Rejection, whatever comes', () => {
  const piece = fc.constantFrom(
    '--b',
    '--',
    '\r\n',
    '\n',
    'Content-Disposition: form-data; name="file"',
    '; filename="a"',
    'x',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      try {
        parseMultipart(Buffer.from(pieces.join('')), 'b');
      } catch (error) {
        expect(error).toBeInstanceOf(Rejection);
      }
    }),
    { numRuns: 2000 },
  );
});
