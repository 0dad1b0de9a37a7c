/** What is refused on a bare connection is answered as any request is, and the connection ends with the answer. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Rejection } from '../model/rejection.ts';
import { problem } from './respond.ts';

/** Answers with the problem document of a refusal, where there is still somebody to answer, and closes the connection. */
export const refuseUpgrade = (socket: Duplex, rejection: Rejection, id: string | undefined): void => {
  const { status } = rejection;
  const { head, body } = problem(rejection, id);
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, 'connection: close'];
  for (let index = 0; index < head.length; index += 2) lines.push(`${head[index]}: ${head[index + 1]}`);
  // An upgrade that is answered plainly must not leave its connection behind (configurable-http-proxy #434).
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]), () => socket.destroy());
};
