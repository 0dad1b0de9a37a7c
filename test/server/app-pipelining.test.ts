import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import type { BodySink, FilteredResponse } from '../../src/model/response.ts';
import type { Sent } from '../../src/pipeline/decide.ts';
import { app } from '../../src/server/app.ts';
import { eventually } from '../support/eventually.ts';

test('an answer that breaks off behind another one cuts the connection when its turn comes', async () => {
  const sinks = new Map<string, BodySink>();
  const sent: Sent[] = [];
  const server = app({
    async live({ raw }, reply) {
      const pipe = (sink: BodySink): void => void sinks.set(raw.target, sink);
      const body = { whole: () => undefined, pipe, resume: () => undefined, abort: () => undefined };
      const headers = ['content-length', '4'];
      sent.push(await reply.send({ status: 200, headers, body } as unknown as FilteredResponse, []));
    },
    refused: () => undefined,
    upgrade: undefined,
    socketPath: undefined,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => {
    text += data;
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(['/first', '/broken', '/never'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''));
  await eventually(() => sinks.size === 3);
  sinks.get('/broken')?.write(Buffer.from('ha'));
  sinks.get('/broken')?.fail(new Error('cut'));
  await eventually(() => sent.length === 1);
  expect(sent).toEqual([{ status: 200, outcome: 'upstream-broken' }]);
  sinks.get('/first')?.write(Buffer.from('full'));
  sinks.get('/first')?.end();
  await closed;
  expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(text.endsWith('full')).toBe(true);
  server.close();
});
