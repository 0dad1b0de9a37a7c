/**
 * What emits the events: a plain Socket.IO server behind the gateway, or the stand-in for Jaaz, which broadcasts to the
 * clients itself. Arguments: `plain` or `stand-in`, port, a folder. Orders: `SendOrder`.
 */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from 'socket.io';
import { startStandIn } from '../demo/jaaz/server.ts';
import type { Scope } from './hearing.ts';
import { EVENT_NAME, machineMillis, type SessionUpdate, updateOf } from './socket-events.ts';
import { obey } from './worker.ts';

export interface SendOrder {
  /** Events are of the sessions of users below this number, chosen at random. */
  readonly users: number;
  readonly eventsPerSecond: number;
  readonly millis: number;
  /** `own` numbers the events of each session, `everybody` all of them. */
  readonly scope: Scope;
}

export interface SendAnswer {
  /** In this stretch. */
  readonly events: number;
  readonly millis: number;
  /** In each stream, since the start of this process. */
  readonly sent: readonly number[];
}

type Emit = (event: SessionUpdate) => void;

const plain = (port: number): Emit => {
  const server = createServer((request, response) => {
    // What the gateway's probes take for "there is none".
    const isChat = request.url?.startsWith('/api/chat_session/') === true;
    response.writeHead(isChat ? 200 : 404, { 'content-type': 'application/json' }).end(isChat ? '[]' : 'null');
  });
  const io = new Server(server, { serveClient: false });
  server.listen(port, '127.0.0.1');
  return (event) => void io.emit(EVENT_NAME, event);
};

const standIn = async (port: number, dataDir: string): Promise<Emit> => {
  const { broadcast } = await startStandIn({ port, dataDir, recordRequests: false });
  return (event) => broadcast(EVENT_NAME, event);
};

const [kind, port, folder] = process.argv.slice(2);
if (folder === undefined) throw new TypeError('arguments: plain or stand-in, port, folder');
const emit = kind === 'plain' ? plain(Number(port)) : await standIn(Number(port), folder);
const sent: number[] = [];

await obey<SendOrder, SendAnswer>(async ({ users, eventsPerSecond, millis, scope }) => {
  const startedAt = machineMillis();
  const events = Math.max(1, Math.round((eventsPerSecond * millis) / 1000));
  for (let done = 0; done < events; ) {
    const due = Math.min(events, Math.floor(((machineMillis() - startedAt) * eventsPerSecond) / 1000) + 1);
    for (; done < due; done += 1) {
      const user = Math.floor(Math.random() * users);
      const stream = scope === 'own' ? user : 0;
      const sequence = sent[stream] ?? 0;
      sent[stream] = sequence + 1;
      emit(updateOf(user, sequence));
    }
    await sleep(1);
  }
  return { events, millis: machineMillis() - startedAt, sent };
});
process.exit(0);
