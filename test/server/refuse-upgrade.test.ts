import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import { refuseUpgrade } from '../../src/server/refuse-upgrade.ts';

test('an upgrade that is refused is answered as any request is, and its connection ends', async () => {
  const [ours, theirs] = duplexPair();
  let text = '';
  theirs.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  refuseUpgrade(ours, new Rejection('sockets-limited', 'a secret', { headers: ['retry-after', '7'] }), 'request-1');
  await once(ours, 'close');
  const [head = '', body = ''] = text.split('\r\n\r\n');
  expect(head.split('\r\n')[0]).toBe('HTTP/1.1 429 Too Many Requests');
  expect(head).toContain('connection: close');
  expect(head).toContain('retry-after: 7');
  expect(JSON.parse(body)).toMatchObject({ status: 429, code: 'sockets-limited', requestId: 'request-1' });
  expect(text).not.toContain('secret');
});

test.each(['ended', 'destroyed'])('a connection that has %s is destroyed, without a word', async (how) => {
  const [ours, theirs] = duplexPair();
  const said: Buffer[] = [];
  theirs.on('data', (chunk: Buffer) => said.push(chunk));
  ours.on('error', () => undefined);
  if (how === 'ended') ours.end();
  else ours.destroy();
  refuseUpgrade(ours, new Rejection('client-gone', 'x'), 'request-1');
  expect([ours.destroyed, said]).toEqual([true, []]);
});
