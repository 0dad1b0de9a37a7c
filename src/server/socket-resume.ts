/**
 * A client that was away gets what it missed. Before its CONNECT is answered it is known whether it can, and after that it
 * reads the log until it has caught up. On the wire this is Socket.IO's own connection state recovery (`pid`, `offset`),
 * so its clients take part by themselves; but whose log it is says the token alone, and each event is authorised again.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'socket.io';
import type { Owner } from '../model/principal.ts';
import type { MissedLog } from '../realtime/channels.ts';
import { checkAuthority } from './socket-authority.ts';
import { type History, NOTICE, type Reader } from './socket-channels.ts';
import { type Arrival, type Door, leave } from './socket-door.ts';
import { eventFrame, type Frame } from './socket-frame.ts';
import { stillTheirs } from './socket-reauthorise.ts';
import { type Missed, replay } from './socket-replay.ts';

/** What a client that takes part is given. */
interface Resume {
  /** Where it stands; undefined where nothing is kept for it. */
  readonly at: { readonly log: MissedLog; readonly offset: number } | undefined;
  /** What it gets; undefined for one that begins, or begins anew. */
  readonly found: Found | undefined;
  /** Something that it asked for is not known any more. */
  readonly isLost: boolean;
}

interface Found {
  readonly theirs: Missed;
  readonly refused: number;
  /** The offset up to which it was looked at, if there was anything. */
  readonly through: number | undefined;
}

/** From its admission to its welcome, which follow one another at once. */
const resumes = new WeakMap<Socket, Resume>();

/**
 * Finds out what a client that connects can be given, and sets the `pid` of its CONNECT; to be awaited before that is
 * answered. Does nothing for a client that might not take events with an offset. Never rejects.
 */
export const resumption = async (door: Door, { link, socket }: Arrival): Promise<void> => {
  const { channels, modeOf } = door;
  const { history } = channels;
  if (history === undefined || link?.principal === undefined) return;
  const asked = askedBy(socket.handshake.auth, link.request.headers.get('user-agent'));
  if (asked === undefined) return;
  const { owner } = link.principal;
  const isFiltered = modeOf(link.principal) === 'enforce';
  const found = isFiltered && asked.place ? await find(history, owner, asked.place) : undefined;
  // The ledger may have taken longer than the token is good for.
  if (isFiltered) await checkAuthority(door, link);
  if (link.ended) return;
  const log = isFiltered ? history.missed.begin(owner) : undefined;
  if (log === undefined) {
    if (asked.isBack) resumes.set(socket, { at: undefined, found: undefined, isLost: true });
    return;
  }
  const isBack = found !== undefined && log.epoch === asked.place?.epoch;
  const pid = isBack ? asked.pid : `${log.epoch}.${randomBytes(8).toString('base64url')}`;
  // socket.io puts it into its answer; only its types hide it.
  Object.assign(socket, { pid });
  const offset = isBack ? Number(asked.place?.offset) : log.head;
  resumes.set(socket, { at: { log, offset }, found: isBack ? found : undefined, isLost: asked.isBack && !isBack });
};

/** Greets a client that has its seat, and then lets it have what it missed. */
export const greet = (door: Door, { link, socket }: Arrival, greeting: Frame): void => {
  const { channels } = door;
  const resume = resumes.get(socket);
  resumes.delete(socket);
  if (link?.seat === undefined) return;
  const { seat } = link;
  const reader = resume?.at && channels.follow(seat, resume.at.log, resume.at.offset);
  channels.say(seat, greeting);
  const { history } = channels;
  const { owner } = seat;
  if (resume === undefined || history === undefined || owner === undefined) return;
  const tell: Tell = (recovered, missed, refused) => {
    const notice = { type: 'history', recovered, ...(recovered && { missed }) };
    // What it hears without a place in the log it would get again by the place that it came with.
    channels.say(seat, eventFrame(NOTICE, reader === undefined ? [notice, ''] : [notice]));
    reader?.goLive();
    history.returned?.({ recovered, missed, refused });
  };
  const { at, found, isLost } = resume;
  if (at !== undefined && reader !== undefined && found !== undefined) {
    // It would neither hear what it missed nor what comes: it must come again.
    catchUp({ history, owner, reader, log: at.log, tell }, found).catch(() => leave(door, link));
  } else if (isLost || found !== undefined) tell(false, 0, 0);
  else reader?.goLive();
};

/** Says how it went, and lets the client hear what comes, with nothing in between. */
type Tell = (recovered: boolean, missed: number, refused: number) => void;

interface Asked {
  readonly pid: string;
  /** It was here before, or says so. */
  readonly isBack: boolean;
  /** Undefined where it says nothing that could be a place in a log. */
  readonly place: LogPlace | undefined;
}

interface LogPlace {
  readonly epoch: string;
  readonly offset: string;
}

const PID = /^([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{1,32}$/;
const OFFSET = /^[0-9]{1,16}$/;

/** Undefined for a client that does not take part: its handlers might not take a further argument. */
const askedBy = (auth: unknown, userAgent: string | undefined): Asked | undefined => {
  const { pid, offset, resume } = (auth ?? {}) as Record<string, unknown>;
  if (resume !== true && typeof pid !== 'string' && userAgent?.startsWith('Mozilla/') !== true) return undefined;
  if (typeof pid !== 'string') return { pid: '', isBack: pid !== undefined, place: undefined };
  const epoch = PID.exec(pid)?.[1];
  const isPlace = epoch !== undefined && typeof offset === 'string' && OFFSET.test(offset);
  return { pid, isBack: true, place: isPlace ? { epoch, offset } : undefined };
};

const find = async (history: History, owner: Owner, { epoch, offset }: LogPlace): Promise<Found | undefined> => {
  const missed = history.missed.since(owner, epoch, offset);
  return missed === 'lost' ? undefined : judged(history, owner, missed);
};

const judged = async (history: History, owner: Owner, missed: Missed): Promise<Found | undefined> => {
  const theirs = await stillTheirs(history, owner, missed);
  return theirs && { theirs, refused: missed.length - theirs.length, through: missed.at(-1)?.offset };
};

interface CatchUp {
  readonly history: History;
  readonly owner: Owner;
  readonly reader: Reader;
  readonly log: MissedLog;
  readonly tell: Tell;
}

/** So many events of the log are authorised at once while a client reads. */
const BATCH = 250;

/** Lets a client read its log until nothing more is in it; then, before anything can be, it goes live. */
const catchUp = async ({ history, owner, reader, log, tell }: CatchUp, found: Found): Promise<void> => {
  let [missed, refused] = [0, 0];
  for (let next: Found | undefined = found; reader.open; ) {
    if (next === undefined) return tell(false, missed, refused);
    await replay(reader, next.theirs);
    if (!reader.open) return;
    if (next.through !== undefined) reader.pass(next.through);
    missed += next.theirs.length;
    refused += next.refused;
    const rest = history.missed.since(owner, log.epoch, reader.offset);
    if (rest === 'lost' || rest.length === 0) return tell(rest !== 'lost', missed, refused);
    next = await judged(history, owner, rest.slice(0, BATCH));
  }
};
