/**
 * A hunt for leaks: many users work at the same time and try one another's ids, and every byte that reaches a user is
 * searched for marks that only other users' data carries. The hunt knows nothing of the gateway, so that it can be sent
 * at weakened ones, and at the bare server, to show that it finds what is there.
 */
import { eventually } from './eventually.ts';
import { type Answer, jaazClient, openEar } from './jaaz-client.ts';
import { type Board, type Hunter, roam, seeded, settleIn } from './leak-hunt-deeds.ts';

export interface HuntOptions {
  readonly url: string;
  /** Where the sockets connect; `url` unless told. */
  readonly socketUrl?: string;
  /** Undefined: nothing is presented. */
  readonly token: (user: string) => Promise<string | undefined>;
  readonly users: number;
  /** Deeds of each user after the first, which makes a canvas and a file. */
  readonly deeds: number;
  readonly seed: number;
}

export interface Leak {
  readonly to: string;
  readonly of: string;
  readonly where: string;
}

export interface HuntReport {
  readonly leaks: readonly Leak[];
  /** Marks of their own that users received: a hunt that hears nothing finds nothing. */
  readonly ownMarks: number;
  readonly answers: ReadonlyMap<string, number>;
  readonly bytes: number;
  readonly packets: number;
  /** Canvases that their owners kept, and that came back to them with their own marks at the end. */
  readonly intact: number;
  readonly kept: number;
}

const MARK = /MARK-(u\d+)-/g;
const BASE64 = /[A-Za-z0-9+/]{48,}={0,2}/g;

/** Resolves when every deed is done and every run that was accepted has been heard to end, or a leak was found. */
export const huntLeaks = async (options: HuntOptions): Promise<HuntReport> => {
  const notes = noteBook();
  const board: Board = { canvases: [], sessions: [], files: [] };
  const names = Array.from({ length: options.users }, (_, index) => `u${index}`);
  const hunters = await Promise.all(names.map((name, index) => arrive(options, { name, index, notes })));
  try {
    await Promise.all(hunters.map((hunter) => settleIn(hunter, board)));
    await Promise.all(hunters.map((hunter) => roam(hunter, board, options.deeds)));
    const ended = (hunter: Hunter): boolean => [...hunter.running.keys()].every((session) => hasEnded(hunter, session));
    await eventually(() => notes.leaks.length > 0 || hunters.every(ended), 30_000);
    const counts = await Promise.all(hunters.map(countIntact));
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      ...notes,
      ...notes.totals(),
      kept: sum(hunters.map(({ canvases }) => canvases.size)),
      intact: sum(counts),
    };
  } finally {
    for (const { ear } of hunters) ear.close();
  }
};

const noteBook = () => {
  const leaks: Leak[] = [];
  const answers = new Map<string, number>();
  let ownMarks = 0;
  let bytes = 0;
  let packets = 0;

  const search = (text: string, to: string, where: string): void => {
    for (const [, of = ''] of text.matchAll(MARK)) {
      if (of === to) ownMarks += 1;
      else leaks.push({ to, of, where });
    }
  };
  const received = (text: string, to: string, where: string): void => {
    bytes += text.length;
    search(text, to, where);
    // A mark inside an inline image is as much a leak as one in the clear.
    for (const [run] of text.matchAll(BASE64)) search(Buffer.from(run, 'base64').toString('latin1'), to, where);
  };
  return {
    leaks,
    answers,
    totals: () => ({ ownMarks, bytes, packets }),
    answer(to: string, { status, code, headers, bytes: body }: Answer, what: string) {
      const key = `${what.replace(/[^ /]{12,}/g, '*')} ${status} ${code ?? ''}`.trim();
      answers.set(key, (answers.get(key) ?? 0) + 1);
      received(`${JSON.stringify([...headers])}\n${body.toString('latin1')}`, to, what);
    },
    packet(to: string, text: string) {
      packets += 1;
      received(text, to, 'socket');
    },
  };
};

const arrive = async (
  options: HuntOptions,
  { name, index, notes }: { name: string; index: number; notes: ReturnType<typeof noteBook> },
): Promise<Hunter> => {
  const token = await options.token(name);
  const { url, socketUrl = url } = options;
  return {
    name,
    random: seeded(options.seed * 1000 + index),
    client: jaazClient({ url, token, received: (answer, what) => notes.answer(name, answer, what) }),
    ear: await openEar({ url: socketUrl, token, received: (packet) => notes.packet(name, packet) }),
    canvases: new Map(),
    files: [],
    running: new Map(),
    count: 0,
  };
};

const hasEnded = ({ ear }: Hunter, session: string): boolean =>
  ear.updates.some((update) => update.type === 'done' && update.session_id === session);

const countIntact = async ({ name, client, canvases }: Hunter): Promise<number> => {
  let intact = 0;
  for (const id of canvases.keys())
    if ((await client.get(`/api/canvas/${id}`)).text.includes(`MARK-${name}-`)) intact += 1;
  return intact;
};
