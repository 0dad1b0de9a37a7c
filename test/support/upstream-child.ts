/**
 * A server behind the gateway, as a process of its own: a Socket.IO endpoint with a quick heartbeat, told by its parent what
 * to broadcast, and nothing else. It can be killed, started again on its port, and frozen.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { Server } from 'socket.io';

const [port = '0'] = process.argv.slice(2);
const http = createServer((_, response) => response.writeHead(404).end());
const io = new Server(http, { path: '/socket.io/', pingInterval: 300, pingTimeout: 300, serveClient: false });
io.on('connection', (socket) => {
  socket.emit('connected', { status: 'connected' });
  process.stdout.write(`connections ${io.engine.clientsCount}\n`);
});

createInterface({ input: process.stdin }).on('line', (line) => {
  for (const [name, payload] of JSON.parse(line) as Array<[string, unknown]>) io.emit(name, payload);
});

http.listen(Number(port), '127.0.0.1', () =>
  process.stdout.write(`listening ${(http.address() as AddressInfo).port}\n`),
);
