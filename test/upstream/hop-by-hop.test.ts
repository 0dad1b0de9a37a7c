import { expect, test } from 'vitest';
import { withoutHopByHop } from '../../src/upstream/hop-by-hop.ts';

test.each([
  'close',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])('%s never crosses', (name) => {
  expect(withoutHopByHop({ [name]: 'x', 'content-type': 'a/b' })).toEqual({ 'content-type': 'a/b' });
});

test.each([
  ['one', 'x-private'],
  ['in other letters', 'X-Private'],
  ['behind what is usual', 'Keep-Alive, X-Private'],
  ['before it', 'x-private,close'],
  ['several', 'close, X-PRIVATE ,keep-alive'],
])('what Connection names does not cross either: %s', (_name, connection) => {
  expect(withoutHopByHop({ connection, 'x-private': 'x', etag: '"a"' })).toEqual({ etag: '"a"' });
});

test('two Connection headers are one list', () => {
  expect(withoutHopByHop({ connection: ['close', 'x-a'], 'x-a': '1', 'x-b': '2' })).toEqual({ 'x-b': '2' });
});

test('the rest is as it was, repeated headers too', () => {
  const headers = { etag: '"a"', vary: ['a', 'b'], 'content-range': 'bytes 0-1/2', empty: '' };
  expect(withoutHopByHop({ ...headers, absent: undefined })).toEqual(headers);
});
