/** One part of the admin API alone, on port 0, and a way to call it as badly as one likes. */
import { createServer, request } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { Rejection } from '../../src/model/rejection.ts';
import type { AdminEnv } from '../../src/server/admin-request.ts';
import { problem } from '../../src/server/respond.ts';
import { listen, shutDown } from '../../src/server/shutdown.ts';
import type { AdminCall } from './admin-door.ts';

export const openAdminPart = async (path: string, part: Hono<AdminEnv>) => {
  const routes = new Hono();
  routes.route(path, part);
  routes.onError((error) => {
    if (!(error instanceof Rejection)) throw error;
    const { head, body } = problem(error, undefined);
    const pairs = Array.from(
      { length: head.length / 2 },
      (_, i) => [head[2 * i] ?? '', head[2 * i + 1] ?? ''] as const,
    );
    return new Response(new Uint8Array(body), { status: error.status, headers: Object.fromEntries(pairs) });
  });
  const server = createServer(getRequestListener(routes.fetch, { overrideGlobalObjects: false }));
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  const call = ({ method = 'GET', path: at = path, host = `127.0.0.1:${port}`, headers = {}, body }: AdminCall) =>
    new Promise<{ status: number; code: unknown; body: unknown; headers: object }>((resolve, reject) => {
      const target = { port, host: '127.0.0.1', method, path: at, headers: { host, ...headers } };
      const sent = request(target, async (response) => {
        const text = (await response.toArray()).join('');
        const answer = text.startsWith('{') ? JSON.parse(text) : text;
        resolve({ status: response.statusCode ?? 0, code: answer.code, body: answer, headers: response.headers });
      });
      sent.on('error', reject).end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
    });
  return { call, close: () => shutDown(server, 0) };
};
