/**
 * A hunt for leaks: many users work at the same time and try one another's ids, and every byte that reaches a user is
 * searched for marks that only other users' data carries. The hunt knows nothing of the gateway, so that it can be sent
 * at weakened ones, and at the bare server, to show that it finds what is there.
 */
import { drawPng } from '../../demo/jaaz/image.ts';
import { eventually } from './eventually.ts';
import { type Answer, type Client, chatBody, type Ear, jaazClient, openEar } from './jaaz-client.ts';

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

interface Thing {
  readonly id: string;
  readonly user: string;
}

/** What everybody knows: the ids of everybody. */
interface Board {
  readonly canvases: Thing[];
  readonly sessions: Thing[];
  readonly files: Thing[];
}

interface Hunter {
  readonly name: string;
  readonly random: () => number;
  readonly client: Client;
  readonly ear: Ear;
  /** The canvases that are still there, each with its first session. */
  readonly canvases: Map<string, string>;
  readonly files: string[];
  /** Sessions whose run was accepted, each with its canvas. */
  readonly running: Map<string, string>;
  count: number;
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

/** Returns a generator of numbers in [0, 1) that is the same for the same seed. */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
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

const markOf = (hunter: Hunter, what: string): string => `MARK-${hunter.name}-${what}-${(hunter.count += 1)}`;

/** As long as the page's own ids, and without a mark: guesses carry ids, and an echo of a guess is no leak. */
const newId = (hunter: Hunter, kind: string): string =>
  `${kind}_${hunter.name}_${Math.floor(hunter.random() * 2 ** 52).toString(36)}_${(hunter.count += 1)}`.padEnd(21, 'x');

const picture = (mark: string): Buffer => drawPng(mark, { Comment: mark });

const settleIn = async (hunter: Hunter, board: Board): Promise<void> => {
  await upload(hunter, board);
  await create(hunter, board);
};

const roam = async (hunter: Hunter, board: Board, deeds: number): Promise<void> => {
  for (let done = 0; done < deeds; done += 1) {
    const list = hunter.random() < 0.45 ? guesses : work;
    const deed = list[Math.floor(hunter.random() * list.length)];
    await deed?.(hunter, board);
  }
};

const upload = async (hunter: Hunter, board: Board): Promise<void> => {
  const mark = markOf(hunter, 'upload');
  const answer = await hunter.client.upload(`${mark}.png`, picture(mark));
  const id = /"file_id":"([^"]+)"/.exec(answer.text)?.[1];
  if (id === undefined) return;
  hunter.files.push(id);
  board.files.push({ id, user: hunter.name });
};

const create = async (hunter: Hunter, board: Board): Promise<void> => {
  const canvas = newId(hunter, 'c');
  const session = newId(hunter, 's');
  // Known to the others before it exists: the race for it is part of the hunt.
  board.canvases.push({ id: canvas, user: hunter.name });
  board.sessions.push({ id: session, user: hunter.name });
  const mark = markOf(hunter, 'prompt');
  const inline = `data:image/png;base64,${picture(mark).subarray(0, 300).toString('base64')}`;
  const [file = ''] = hunter.files;
  const text = `${mark} <image file_id="${file}" />`;
  const content = [
    { type: 'text', text },
    { type: 'image_url', image_url: { url: inline } },
  ];
  const more = { name: markOf(hunter, 'name'), messages: [{ role: 'user', content }] };
  const answer = await hunter.client.post('/api/canvas/create', chatBody({ canvas, session, prompt: mark, more }));
  if (answer.status !== 200) return;
  hunter.canvases.set(canvas, session);
  hunter.running.set(session, canvas);
  await hunter.client.post(`/api/canvas/${canvas}/save`, saveBody(hunter));
};

const saveBody = (hunter: Hunter): object => {
  const mark = markOf(hunter, 'data');
  return { data: { elements: [{ id: mark, text: mark }], files: {} }, thumbnail: `data:image/png;base64,${mark}` };
};

type Deed = (hunter: Hunter, board: Board) => Promise<unknown>;

const pick = <T>(hunter: Hunter, list: readonly T[]): T | undefined => list[Math.floor(hunter.random() * list.length)];

const own = (hunter: Hunter): readonly [canvas: string, session: string] =>
  pick(hunter, [...hunter.canvases]) ?? ['none', 'none'];

const foreign = (hunter: Hunter, things: readonly Thing[]): string =>
  pick(
    hunter,
    things.filter(({ user }) => user !== hunter.name),
  )?.id ?? 'none';

const chat = async (hunter: Hunter, canvas: string, session: string): Promise<Answer> =>
  hunter.client.post('/api/chat', chatBody({ canvas, session, prompt: markOf(hunter, 'chat') }));

const work: readonly Deed[] = [
  create,
  upload,
  (hunter) => hunter.client.get('/api/canvas/list'),
  (hunter) => hunter.client.get('/api/canvas/list'),
  (hunter) => hunter.client.get(`/api/canvas/${own(hunter)[0]}`),
  (hunter) => hunter.client.get(`/api/chat_session/${own(hunter)[1]}`),
  (hunter) => hunter.client.post(`/api/canvas/${own(hunter)[0]}/save`, saveBody(hunter)),
  (hunter) => hunter.client.post(`/api/canvas/${own(hunter)[0]}/rename`, { name: markOf(hunter, 'renamed') }),
  (hunter) => hunter.client.get(`/api/file/${pick(hunter, hunter.files) ?? 'none'}`),
  (hunter) => hunter.client.post(`/api/cancel/${own(hunter)[1]}`),
  async (hunter, board) => {
    const session = newId(hunter, 's');
    board.sessions.push({ id: session, user: hunter.name });
    const [canvas] = own(hunter);
    if ((await chat(hunter, canvas, session)).status === 200) hunter.running.set(session, canvas);
  },
  async (hunter) => {
    const [canvas] = own(hunter);
    if (hunter.canvases.size < 2) return;
    // Events of what was deleted are withheld from everybody, so nobody waits for its end.
    hunter.canvases.delete(canvas);
    for (const [session, of] of hunter.running) if (of === canvas) hunter.running.delete(session);
    await hunter.client.remove(`/api/canvas/${canvas}/delete`);
  },
  async (hunter, board) => {
    for (const { type, image_url } of hunter.ear.updates) {
      const id = String(image_url).replace('/api/file/', '');
      if (type !== 'image_generated' || hunter.files.includes(id)) continue;
      hunter.files.push(id);
      board.files.push({ id, user: hunter.name });
    }
  },
];

const guesses: readonly Deed[] = [
  (hunter, { canvases }) => hunter.client.get(`/api/canvas/${foreign(hunter, canvases)}`),
  (hunter, { canvases }) => hunter.client.post(`/api/canvas/${foreign(hunter, canvases)}/save`, saveBody(hunter)),
  (hunter, { canvases }) =>
    hunter.client.post(`/api/canvas/${foreign(hunter, canvases)}/rename`, { name: markOf(hunter, 'theft') }),
  (hunter, { canvases }) => hunter.client.remove(`/api/canvas/${foreign(hunter, canvases)}/delete`),
  (hunter, { canvases }) => chat(hunter, foreign(hunter, canvases), newId(hunter, 's')),
  (hunter, { sessions }) => chat(hunter, own(hunter)[0], foreign(hunter, sessions)),
  (hunter, { canvases }) => {
    const ids = { canvas: foreign(hunter, canvases), session: newId(hunter, 's') };
    return hunter.client.post('/api/canvas/create', chatBody({ ...ids, prompt: markOf(hunter, 'theft') }));
  },
  (hunter, { sessions }) => {
    const ids = { canvas: newId(hunter, 'c'), session: foreign(hunter, sessions) };
    return hunter.client.post('/api/canvas/create', chatBody({ ...ids, prompt: markOf(hunter, 'theft') }));
  },
  (hunter, { sessions }) => hunter.client.get(`/api/chat_session/${foreign(hunter, sessions)}`),
  (hunter, { sessions }) => hunter.client.post(`/api/cancel/${foreign(hunter, sessions)}`),
  (hunter, { files }) => hunter.client.get(`/api/file/${foreign(hunter, files)}`),
  (hunter, { files }) => hunter.client.get(`/api/file/${foreign(hunter, files)}`),
  (hunter, { files }) => {
    const prompt = `${markOf(hunter, 'theft')} <image file_id="${foreign(hunter, files)}" />`;
    const ids = { canvas: own(hunter)[0], session: newId(hunter, 's') };
    return hunter.client.post('/api/chat', chatBody({ ...ids, prompt }));
  },
];
