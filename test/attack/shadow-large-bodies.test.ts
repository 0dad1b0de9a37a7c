/**
 * Where nothing is refused, what is too large passes too. If it were held for that, anybody could fill the memory of a
 * gateway that only looks on.
 */
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startGatewayProcess } from '../support/gateway-process.ts';

const LARGE = 64 * 1024 * 1024;
const PIECE = Buffer.alloc(256 * 1024, 'x');

/** Counts what it is sent, and answers with as much. */
const mirror = async () => {
  const server = createServer((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      response.setHeader('x-received', bytes);
      response.setHeader('content-type', 'application/json');
      let left = bytes > 0 ? 0 : LARGE;
      const more = (): void => {
        while (left > 0) {
          left -= PIECE.length;
          if (!response.write(PIECE)) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
};

const shadowPolicy = (directory: string): readonly string[] => {
  const file = join(directory, 'policy.yaml');
  writeFileSync(file, readFileSync('policies/jaaz.yaml', 'utf8').replace('mode: enforce', 'mode: shadow'));
  return [file];
};

interface Sent {
  readonly status: number | undefined;
  readonly received: string | undefined;
  readonly bytes: number;
}

const ask = (url: string, token: string | undefined, body: 'announced' | 'chunked' | 'none'): Promise<Sent> =>
  new Promise((resolve, reject) => {
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === 'announced' ? { 'content-length': LARGE } : {}),
      'content-type': 'application/json',
    };
    const outgoing = send(url, { method: body === 'none' ? 'GET' : 'POST', headers }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      const received = answer.headers['x-received'];
      answer.on('end', () => resolve({ status: answer.statusCode, received: received?.toString(), bytes }));
      answer.on('error', reject);
    });
    outgoing.on('error', reject);
    let left = body === 'none' ? 0 : LARGE;
    const more = (): void => {
      while (left > 0) {
        left -= PIECE.length;
        if (!outgoing.write(PIECE)) return void outgoing.once('drain', more);
      }
      outgoing.end();
    };
    more();
  });

test.runIf(existsSync('/proc/self/status'))(
  'a body of 64 MB passes, and so does an answer, and neither is held',
  async () => {
    const upstream = await mirror();
    const gateway = await startGatewayProcess(upstream.url, shadowPolicy);
    try {
      const token = await gateway.issuer.token('alice');
      const before = gateway.peakMemory();
      for (const who of [token, undefined]) {
        for (const framing of ['announced', 'chunked'] as const) {
          const path = '/api/canvas/c/rename';
          expect(await ask(gateway.url() + path, who, framing)).toMatchObject({ status: 200, received: `${LARGE}` });
        }
        // A list that is none: what would be refused while it is read.
        expect(await ask(`${gateway.url()}/api/canvas/list`, who, 'none')).toMatchObject({ status: 200, bytes: LARGE });
        expect(await ask(`${gateway.url()}/api/list_models`, who, 'none')).toMatchObject({ bytes: LARGE });
      }
      expect(gateway.peakMemory() - before).toBeLessThan((LARGE * 3) / 4);
    } finally {
      await gateway.stop();
      upstream.server.closeAllConnections();
      upstream.server.close();
    }
  },
  60_000,
);
