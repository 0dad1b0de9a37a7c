/** One client's arrival at the sockets, step by step: what it is told, without a wire. */
import type { Mode } from '../../src/model/mode.ts';
import type { Owner } from '../../src/model/principal.ts';
import type { ResourceRef } from '../../src/model/resource.ts';
import { ownerChannels } from '../../src/server/socket-channels.ts';
import type { Arrival, Door } from '../../src/server/socket-door.ts';
import { eventFrame, type Frame } from '../../src/server/socket-frame.ts';
import { greet, resumption } from '../../src/server/socket-resume.ts';
import { testHistory } from './history.ts';
import { principal } from './socket-door.ts';

export const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64)';

export interface Caller {
  readonly user?: string | undefined;
  readonly auth?: unknown;
  readonly userAgent?: string | undefined;
  readonly mode?: Mode;
}

export const returning = (options: Parameters<typeof testHistory>[0] = {}) => {
  const memory = testHistory(options);
  const channels = ownerChannels(memory.history);

  /** Up to its CONNECT. */
  const arrive = async (caller: Caller) => {
    const { user = 'alice', auth = {}, userAgent = BROWSER, mode = 'enforce' } = caller;
    const known = 'user' in caller && caller.user === undefined ? undefined : principal(user);
    const texts: string[] = [];
    const parts: Buffer[][] = [];
    const link = {
      principal: known,
      request: { headers: new Map('userAgent' in caller && !caller.userAgent ? [] : [['user-agent', userAgent]]) },
      peer: {
        send({ text, attachments }: Frame): void {
          texts.push(text);
          parts.push(attachments.map(({ data }) => data));
        },
      },
      seat: undefined as ReturnType<typeof channels.add> | undefined,
      ended: false,
      conn: undefined,
      duplex: { once: () => undefined, destroyed: false },
    };
    const socket: { handshake: object; pid?: string } = { handshake: { auth } };
    const door = { channels, modeOf: () => mode, now: Date.now } as unknown as Door;
    const arrival = { link, socket } as unknown as Arrival;
    await resumption(door, arrival);
    return {
      texts,
      /** The binary parts of each of these. */
      parts,
      pid: socket.pid,
      /** Its seat, the greeting, and the start of what it missed. */
      enter(now: Mode = mode): void {
        link.seat = channels.add(link.peer, known?.owner, now);
        greet(door, arrival, eventFrame('connected', [{ status: 'connected' }]));
      },
      leave: (): void => void (link.seat && channels.remove(link.seat)),
    };
  };

  return {
    ...memory,
    channels,
    arrive,
    async come(caller: Caller = {}) {
      const client = await arrive(caller);
      client.enter();
      return client;
    },
    /** An event of a session, which is this user's unless somebody else has it already. */
    send(n: number, session = 's1', user = 'alice'): number {
      const owner = `demo|${user}`;
      const key = `session:${session}`;
      const refs = memory.owners.has(key) ? [{ kind: 'session', id: session }] : memory.session(session, owner);
      return channels.send(owner, { name: 'e', payload: { n } }, refs);
    },
  };
};

/** The last argument of a packet, where that is a text: what the client keeps as its offset. */
export const offsetIn = (text = ''): string | undefined => {
  const last: unknown = JSON.parse(text.slice(text.indexOf('['))).at(-1);
  return typeof last === 'string' ? last : undefined;
};

/** The packets without their offsets: the number of an event, or what was told. */
export const told = (texts: readonly string[]): unknown[] =>
  texts.map((text) => {
    const [name, first] = JSON.parse(text.slice(text.indexOf('[')));
    return name === 'e' ? first.n : name === 'connected' ? name : first;
  });

/** What a client is told that has all that it missed, and one that has not. */
export const recovered = (missed: number) => ({ type: 'history', recovered: true, missed });
export const LOST = { type: 'history', recovered: false };

/** A client that was there, heard event 0 and is gone, and what it would come back with. */
export const away = async (options: Parameters<typeof returning>[0] = {}) => {
  const room = returning(options);
  const client = await room.come();
  room.send(0);
  client.leave();
  const offset = offsetIn(client.texts.at(-1));
  return { ...room, pid: client.pid, offset, back: { auth: { pid: client.pid, offset } } satisfies Caller };
};

/** A ledger that answers when it is told to. */
export const ledger = () => {
  const asked: Array<PromiseWithResolvers<readonly Owner[]> & { readonly refs: readonly ResourceRef[] }> = [];
  const found = {
    answer: (refs: readonly ResourceRef[]): readonly Owner[] => refs.map(() => 'demo|alice'),
    waiting: () => asked.length,
    release(): void {
      const one = asked.shift();
      one?.resolve(found.answer(one.refs));
    },
    fail: (): void => asked.shift()?.reject(new Error('down')),
    ownersOf(refs: readonly ResourceRef[]) {
      const one = { ...Promise.withResolvers<readonly Owner[]>(), refs };
      asked.push(one);
      return one.promise;
    },
  };
  return found;
};
