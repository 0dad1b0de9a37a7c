/**
 * The clients: opens sockets, ten to a user, and checks whatever they hear. Arguments: the file with the users' tokens.
 * Orders: `ClientsOrder`.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHearing, type Heard, type Hearing, type Scope } from './hearing.ts';
import { leanClient, realClient } from './socket-client.ts';
import { machineMillis, SOCKETS_PER_USER } from './socket-events.ts';
import { obey } from './worker.ts';

interface Connecting {
  readonly port: number;
  readonly sockets: number;
  /** So many sockets have one that is socket.io-client; the others are lean. */
  readonly realOneIn: number;
  readonly scope: Scope;
}

export type ClientsOrder =
  | ({ readonly do: 'connect' } & Connecting)
  | { readonly do: 'disconnect' }
  /** Begins a stretch of so many milliseconds. */
  | { readonly do: 'listen'; readonly millis: number }
  /** Waits for what has been sent in each stream so far, and tells what was heard in the stretch. */
  | { readonly do: 'report'; readonly sent: readonly number[] };

export interface ClientsAnswer {
  /** How long connecting, or waiting for the rest, has taken. */
  readonly millis: number;
  readonly heard: Heard;
  /** Events that have not come since the sockets were opened. */
  readonly lost: number;
  /** The first socket that was refused or closed. */
  readonly fault: string | undefined;
}

const HANDSHAKES_AT_ONCE = 100;
/** Nothing has come for so long: nothing will. */
const GIVEN_UP_MILLIS = 5000;
/** In which both sides say goodbye. */
const CLOSING_MILLIS = 500;
/** In which what comes twice would come. */
const AFTERMATH_MILLIS = 200;

const file = process.argv[2];
if (file === undefined) throw new TypeError('arguments: file');
const tokens: readonly string[] = JSON.parse(readFileSync(file, 'utf8'));

let hearing: Hearing = createHearing('own');
let fault: string | undefined;
let closing = false;
let open: Array<() => void> = [];

const connectAll = async ({ port, sockets, realOneIn }: Connecting): Promise<void> => {
  let index = 0;
  const connectNext = async (): Promise<void> => {
    while (index < sockets && fault === undefined) {
      const user = Math.floor(index / SOCKETS_PER_USER);
      const client = index % realOneIn === 0 ? realClient : leanClient;
      index += 1;
      const ended = (why: string): void => {
        if (!closing) fault ??= `a socket of user ${user}: ${why}`;
      };
      open.push(await client({ port, token: tokens[user] ?? '', heard: hearing.ear(user), ended }));
    }
  };
  await Promise.all(Array.from({ length: HANDSHAKES_AT_ONCE }, connectNext)).catch((error: unknown) => {
    fault ??= String(error);
  });
};

const disconnectAll = async (): Promise<void> => {
  closing = true;
  for (const close of open) close();
  open = [];
  await sleep(CLOSING_MILLIS);
  closing = false;
};

const waitForAll = async (sent: readonly number[]): Promise<void> => {
  const expected = hearing.expected(sent);
  let taken = hearing.taken();
  let grewAt = performance.now();
  while (taken < expected && fault === undefined && performance.now() - grewAt < GIVEN_UP_MILLIS) {
    await sleep(20);
    const now = hearing.taken();
    if (now > taken) grewAt = performance.now();
    taken = now;
  }
};

await obey<ClientsOrder, ClientsAnswer>(async (order) => {
  const startedAt = performance.now();
  if (order.do === 'connect') {
    hearing = createHearing(order.scope);
    await connectAll(order);
  } else if (order.do === 'disconnect') await disconnectAll();
  else if (order.do === 'listen') hearing.begin(machineMillis() + order.millis / 2);
  else await waitForAll(order.sent);
  const millis = performance.now() - startedAt;
  if (order.do === 'report') await sleep(AFTERMATH_MILLIS);
  return { millis, heard: hearing.heard(), lost: order.do === 'report' ? hearing.lost(order.sent) : 0, fault };
});
process.exit(0);
