/** What the handshake of a socket leaves behind: tokens and headers, which nobody asks for once it is let in. */
import type { Socket } from 'socket.io';
import type { Link } from './socket-link.ts';

/** Lets go of all that was shown in the handshake; who it was from is still known. */
export const forget = (link: Link, socket: Socket): void => {
  const client = link.request.headers.get('user-agent');
  const headers = client === undefined ? NO_HEADERS : new Map([['user-agent', client]]);
  // Less of the same reading, and nothing that was not in it.
  link.request = { ...link.request, headers, query: NO_HEADERS };
  Object.assign(socket, { handshake: FORGOTTEN });
  Object.assign(socket.request, { headers: {}, rawHeaders: [], url: '' });
};

const NO_HEADERS: ReadonlyMap<string, string> = new Map();

const FORGOTTEN: Socket['handshake'] = Object.freeze({
  headers: {},
  auth: {},
  query: {},
  time: '',
  issued: 0,
  address: '',
  url: '',
  xdomain: false,
  secure: false,
});
