/** An upstream that has nothing, offers one model, and leaves creates unanswered for as long as it is told to. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SilentUpstream {
  readonly url: string;
  /** Method and path of all that arrived, the gateway's own look-ups included. */
  readonly arrived: string[];
  /** From now on creates are answered, and what was created is there. */
  speak(): void;
  close(): Promise<void>;
}

export const startSilentUpstream = async (): Promise<SilentUpstream> => {
  const arrived: string[] = [];
  const created = new Map<string, string>();
  let silent = true;

  const answer = (response: ServerResponse, value: unknown): void => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
  const server = createServer(async (request, response) => {
    const { method = '', url = '' } = request;
    arrived.push(`${method} ${url}`);
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const canvas = /^\/api\/canvas\/([^/]+)$/.exec(url)?.[1];
    if (url === '/api/list_models') return answer(response, [{ provider: 'openai', model: 'gpt-4o', url: '' }]);
    if (url.startsWith('/api/list_') || url.startsWith('/api/chat_session/')) return answer(response, []);
    if (url === '/api/canvas/create') {
      const { canvas_id: id } = JSON.parse(body) as { canvas_id: string };
      created.set(id, body);
      return silent ? undefined : answer(response, { id });
    }
    if (canvas !== undefined) return answer(response, created.has(canvas) ? { name: created.get(canvas) } : null);
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"detail":"Not Found"}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    speak() {
      silent = false;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
