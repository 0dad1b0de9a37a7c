/** What the users of a leak hunt do: their own work, and guesses at one another's ids. */
import { drawPng } from '../../demo/jaaz/image.ts';
import { type Answer, type Client, chatBody, type Ear } from './jaaz-client.ts';

interface Thing {
  readonly id: string;
  readonly user: string;
}

/** What everybody knows: the ids of everybody. */
export interface Board {
  readonly canvases: Thing[];
  readonly sessions: Thing[];
  readonly files: Thing[];
}

export interface Hunter {
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

const nextOf = (hunter: Hunter): number => {
  hunter.count += 1;
  return hunter.count;
};

const markOf = (hunter: Hunter, what: string): string => `MARK-${hunter.name}-${what}-${nextOf(hunter)}`;

/** As long as the page's own ids, and without a mark: guesses carry ids, and an echo of a guess is no leak. */
const newId = (hunter: Hunter, kind: string): string =>
  `${kind}_${hunter.name}_${Math.floor(hunter.random() * 2 ** 52).toString(36)}_${nextOf(hunter)}`.padEnd(21, 'x');

const picture = (mark: string): Buffer => drawPng(mark, { Comment: mark });

/** Makes a file and a canvas. */
export const settleIn = async (hunter: Hunter, board: Board): Promise<void> => {
  await upload(hunter, board);
  await create(hunter, board);
};

/** Does so many things, drawn by lot: the user's own work, and guesses at what is others'. */
export const roam = async (hunter: Hunter, board: Board, deeds: number): Promise<void> => {
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
