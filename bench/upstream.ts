/**
 * The server behind every contender: answers a canvas of 650 bytes, and nothing else that would cost it time. It speaks
 * Socket.IO because the gateway listens to its upstream's broadcast. Arguments: port.
 */
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const BODY_BYTES = 650;

const body = (): Buffer => {
  const canvas = (filler: string): string =>
    JSON.stringify({ data: { elements: [], files: {}, note: filler }, name: 'A canvas', sessions: [] });
  return Buffer.from(canvas('x'.repeat(BODY_BYTES - canvas('').length)));
};

const canvas = body();
const headers = { 'content-type': 'application/json', 'content-length': canvas.length };
/** What the gateway's probes take for "there is none". */
const absent = new Map([['/api/chat_session/', '[]']]);

const server = createServer((request, response) => {
  const url = request.url ?? '';
  if (url.startsWith('/api/canvas/')) response.writeHead(200, headers).end(canvas);
  else {
    const known = [...absent].find(([path]) => url.startsWith(path))?.[1];
    response.writeHead(known === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(known ?? 'null');
  }
});
server.keepAliveTimeout = 120_000;
new Server(server, { serveClient: false });
server.listen(Number(process.argv[2]), '127.0.0.1');
