import { IncomingMessage } from 'node:http';
import { Socket as NetSocket } from 'node:net';
import { inspect } from 'node:util';
import type { Socket } from 'socket.io';
import { expect, test } from 'vitest';
import { inbound } from '../../src/realtime/inbound.ts';
import { canonical } from '../../src/server/canonical.ts';
import { forget } from '../../src/server/socket-forget.ts';
import type { Link } from '../../src/server/socket-link.ts';

const SECRET = 'a-secret-token';
const rawHeaders = ['host', 'a.example', 'authorization', `Bearer ${SECRET}`, 'cookie', SECRET, 'user-agent', 'page'];

test('of a handshake nothing is left but who it was from', () => {
  const target = `/socket.io/?token=${SECRET}`;
  const incoming = new IncomingMessage(new NetSocket());
  Object.assign(incoming, { rawHeaders, url: target, headers: { authorization: SECRET } });
  const handshake = { auth: { token: SECRET }, headers: incoming.headers, url: target };
  const socket = { request: incoming, handshake } as unknown as Socket;
  const link: Link = {
    request: canonical({ hosts: undefined, trustedProxies: [] })({
      ...{ method: 'GET', target, rawHeaders, remoteAddress: '192.0.2.1' },
    }),
    duplex: new NetSocket(),
    judge: inbound({ accept: new Map() })(),
    startedMillis: 0,
    ...{ conn: undefined, peer: undefined, principal: undefined, seat: undefined, limited: undefined },
    ...{ denials: [], unwatch: undefined, ended: false },
  };
  const { id } = link.request;
  expect(inspect([link, socket], { depth: 9 })).toContain(SECRET);
  forget(link, socket);
  expect(inspect([link, socket], { depth: 9 })).not.toContain(SECRET);
  expect(link.request).toMatchObject({ id, path: '/socket.io/', address: '192.0.2.1' });
  expect([...link.request.headers]).toEqual([['user-agent', 'page']]);
});
