/** Forms of which Node's parsers and Python's see different fields. Only the plain shape is read, and it is written anew. */
import { expect, test } from 'vitest';
import { encodeMultipart, parseMultipart } from '../../src/body/multipart.ts';
import { read } from '../../src/body/read.ts';
import { arriving, post, refusalOf, routeTaking } from '../support/bodies.ts';
import { hostileFormTypes, hostileMultipartBodies } from '../support/hostile-bodies.ts';

const readRequest = read();
const route = routeTaking({ kind: 'multipart', maxBytes: 100_000, file: 'file' });
const chunked = ['Transfer-Encoding', 'chunked'] as const;
const plain = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nx\r\n--b--\r\n';

test('the plain form is accepted, so that the others are refused for what is odd about them', async () => {
  const canonical = post('Content-Type', 'multipart/form-data; boundary=b', ...chunked);
  expect(await refusalOf(() => readRequest(canonical, route, arriving(plain)))).toBe('accepted');
});

test.each(hostileMultipartBodies)('refuses $why', async ({ contentType, body, reason }) => {
  const canonical = post('Content-Type', contentType, ...chunked);
  expect(await refusalOf(() => readRequest(canonical, route, arriving(body)))).toBe(`${reason} 400`);
});

test.each(hostileFormTypes)('refuses the content type %j', async (contentType) => {
  const canonical = post('Content-Type', contentType, ...chunked);
  expect(await refusalOf(() => readRequest(canonical, route, arriving(plain)))).toBe('body-type 415');
});

test('nothing of the client but the content goes on, and the content cannot end its part', () => {
  const [given] = parseMultipart(
    Buffer.from(plain.replace('a.png', '../x/%22;name=y.html').replace('x\r\n', 'x\r\n--c\r\n')),
    'b',
  );
  if (given === undefined) throw new Error('no part');
  const { contentType, body } = encodeMultipart([given]);
  const boundary = contentType.slice('multipart/form-data; boundary='.length);
  expect(Buffer.concat(body).toString()).toBe(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="upload.html"\r\n\r\nx\r\n--c\r\n--${boundary}--\r\n`,
  );
});
