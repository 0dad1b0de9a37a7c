/** The admin listener on port 0, everything about it fine, and a way to call it as badly as one likes. */
import { request } from 'node:http';
import { type AdminOptions, admin } from '../../src/server/admin.ts';
import { listen, shutDown } from '../../src/server/shutdown.ts';

export const ADMIN_TOKEN = 'right-token';
export const BEARER = { authorization: `Bearer ${ADMIN_TOKEN}` };

export interface AdminCall {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
}

export const openAdminDoor = async (options: Partial<AdminOptions>) => {
  const server = admin({
    checks: {
      ledger: async () => undefined,
      upstream: () => true,
      keys: () => true,
      audit: () => true,
      redis: undefined,
    },
    scrape: async () => ({ text: '', contentType: 'text/plain' }),
    ...options,
  });
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  const call = ({ method = 'GET', path = '/', host = `127.0.0.1:${port}`, headers = {}, body }: AdminCall) =>
    new Promise<{ status: number; code: unknown; body: unknown; headers: object }>((resolve, reject) => {
      const target = { port, host: '127.0.0.1', method, path, headers: { host, ...headers } };
      const sent = request(target, async (response) => {
        const text = (await response.toArray()).join('');
        const answer = text.startsWith('{') ? JSON.parse(text) : text;
        resolve({ status: response.statusCode ?? 0, code: answer.code, body: answer, headers: response.headers });
      });
      sent.on('error', reject).end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
    });
  return { call, port, close: () => shutDown(server, 0) };
};
