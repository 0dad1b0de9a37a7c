import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawPng, imageSize } from '../../demo/jaaz/image.ts';
import { get, raw, start } from './support.ts';

let standIn: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  standIn = await start({ defaultPort: 57988 });
});
afterAll(() => standIn[Symbol.asyncDispose]());

const png = drawPng('seed', {});
const GIF = Buffer.from('GIF89a\x03\0\x02\0\0\0\0;', 'latin1');

interface Given {
  readonly data: Buffer;
  readonly name?: string;
  readonly disposition?: string;
}

async function upload(parts: readonly Given[], query = '') {
  const bodies = parts.map(({ data, name = 'a.png', disposition }) => {
    const head = disposition ?? `Content-Disposition: form-data; name="file"; filename="${name}"`;
    return Buffer.concat([Buffer.from(`--B\r\n${head}\r\n\r\n`), data, Buffer.from('\r\n')]);
  });
  const response = await fetch(`${standIn.url}/api/upload_image${query}`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=B' },
    body: Buffer.concat([...bodies, Buffer.from('--B--\r\n')]),
  });
  return { status: response.status, text: await response.text() };
}

describe('upload', () => {
  test('keeps the picture and answers with an absolute address', async () => {
    const { status, text } = await upload([{ data: png }]);
    const answer = JSON.parse(text);
    expect(status).toBe(200);
    expect(answer.file_id).toMatch(/^im_[\w-]{8}\.png$/);
    expect(answer).toMatchObject({ url: `http://localhost:57988/api/file/${answer.file_id}`, width: 192, height: 128 });
    const kept = await fetch(`${standIn.url}/api/file/${answer.file_id}`);
    expect(Buffer.from(await kept.arrayBuffer())).toEqual(png);
    expect(kept.headers.get('content-type')).toBe('image/png');
  });

  test('the last of several parts counts', async () => {
    const { text } = await upload([{ data: png }, { data: GIF, name: 'b.gif' }]);
    expect(JSON.parse(text)).toMatchObject({ width: 3, height: 2, file_id: expect.stringMatching(/\.gif$/) });
  });

  test.each([
    ['x.weird', 'jpg'],
    ['noextension', 'jpg'],
    ['../../up.GIF', 'gif'],
  ])('the extension of %s is %s', async (name, extension) => {
    expect(JSON.parse((await upload([{ data: png, name }])).text).file_id).toMatch(
      new RegExp(`^im_.{8}\\.${extension}$`),
    );
  });

  test.each([
    ['not a picture', [{ data: Buffer.from('hello') }], '', 500],
    ['a name without a writer', [{ data: png, name: 'a.svg' }], '', 500],
    ['no part', [], '', 422],
    [
      'another name',
      [{ data: png, disposition: 'Content-Disposition: form-data; name="x"; filename="a.png"' }],
      '',
      422,
    ],
    ['no filename', [{ data: png, disposition: 'content-disposition: form-data; name=file' }], '', 422],
    ['no name', [{ data: png, disposition: 'content-disposition: form-data' }], '', 400],
    ['a limit that is no number', [{ data: png }], '?max_size_mb=x', 422],
    ['a limit that is not a number', [{ data: png }], '?max_size_mb=nan', 200],
    [
      'a bare and misspelt disposition',
      [{ data: png, disposition: 'CONTENT-DISPOSITION: x;NAME=file ;filename=a' }],
      '',
      200,
    ],
  ])('%s', async (_name, parts, query, status) => {
    if (parts.length > 0) expect((await upload(parts, query)).status).toBe(status);
    else expect((await fetch(`${standIn.url}/api/upload_image`, { method: 'POST', body: 'x' })).status).toBe(status);
  });
});

describe('download', () => {
  let path = '';
  let size = 0;
  beforeAll(async () => {
    path = `/api/file/${JSON.parse((await upload([{ data: png }])).text).file_id}`;
    size = png.length;
  });
  const ranged = (range: string, more: Record<string, string> = {}) =>
    fetch(standIn.url + path, { headers: { range, ...more } });

  test('has validators, and gives no 304', async () => {
    const first = await fetch(standIn.url + path);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    expect(first.headers.get('last-modified')).toMatch(/ GMT$/);
    expect(first.headers.get('cache-control')).toBeNull();
    expect((await fetch(standIn.url + path, { headers: { 'if-none-match': etag } })).status).toBe(200);
  });

  test.each([
    ['bytes=0-9', 206, 10],
    ['bytes=-5', 206, 5],
    ['bytes=0-999999', 206, png.length],
    ['bytes=0-1,4-5', 200, png.length],
    ['bytes=999999-', 416, 0],
    ['bytes=x', 400, 23],
    ['rows=0-1', 400, 23],
  ])('%s', async (range, status, length) => {
    const answer = await ranged(range);
    expect(answer.status).toBe(status);
    expect((await answer.arrayBuffer()).byteLength).toBe(length);
    if (status === 206) expect(answer.headers.get('content-range')).toMatch(new RegExp(`^bytes \\d+-\\d+/${size}$`));
    if (status === 416) expect(answer.headers.get('content-range')).toBe(`*/${size}`);
  });

  test('If-Range with another validator gives the whole file', async () => {
    expect((await ranged('bytes=0-9', { 'if-range': '"other"' })).status).toBe(200);
  });

  test('a missing file is 404, a directory 500', async () => {
    expect(await get(standIn, '/api/file/none.png')).toEqual({ status: 404, text: '{"detail":"File not found"}' });
    for (const name of ['.', '..']) {
      const { status } = await raw(standIn.port, `GET /api/file/${name} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(status).toBe(500);
    }
    expect((await raw(standIn.port, 'GET /api/file/..%2fsettings.json HTTP/1.1\r\n\r\n')).status).toBe(404);
  });
});

test.each([
  ['GIF', GIF, { width: 3, height: 2 }],
  ['JPEG', Buffer.from('ffd8ffe000020000ffc0000b080010002001011100', 'hex'), { width: 1, height: 1 }],
  ['text', Buffer.from('just a text that is long enough to be looked at'), undefined],
])('the first bytes tell a %s', (_name, bytes, size) => {
  expect(imageSize(bytes)).toEqual(size);
});
