/** Requests of two people who name the same few things in any order, for properties of whatever answers them. */
import fc from 'fast-check';
import type { Asked } from './pipeline.ts';

export const CANVASES = ['c0', 'c1', 'c2', 'unclear'];
const SESSIONS = ['s0', 's1', 's2'];
const FILES = ['im_aaaaaaaa.png', 'im_bbbbbbbb.png', 'im_cccccccc.png'];

export const users = fc.constantFrom('ann', 'ann', 'ann', 'bob');
/** Mostly the same one: what was remembered of it matters only when it is asked for again. */
const canvas = fc.constantFrom('c0', 'c0', 'c0', ...CANVASES);
const session = fc.constantFrom(...SESSIONS);
const text = fc.constantFrom(
  'draw',
  'refused',
  ...FILES.map((file) => `as in file_id="${file}"`),
  `/api/file/${FILES[0]}`,
);

const path = fc.oneof(
  canvas.map((id): Asked => ({ method: 'GET', target: `/api/canvas/${id}` })),
  canvas.map((id): Asked => ({ method: 'DELETE', target: `/api/canvas/${id}/delete` })),
  session.map((id): Asked => ({ method: 'GET', target: `/api/chat_session/${id}` })),
  session.map((id): Asked => ({ method: 'POST', target: `/api/cancel/${id}` })),
  fc.constantFrom(...FILES).map((id): Asked => ({ method: 'GET', target: `/api/file/${id}` })),
  fc
    .constantFrom('/api/canvas/list', '/api/config', '/api/read_file', '/', '/nothing')
    .map((target): Asked => ({ method: 'GET', target })),
);

const body = fc.record({
  canvas_id: canvas,
  session_id: session,
  name: text,
  messages: fc.array(fc.record({ role: fc.constant('user'), content: text }), { maxLength: 2 }),
  text_model: fc.constantFrom({ provider: 'p', model: 'm' }, { provider: 'p', model: 'other' }),
});
const written = fc
  .tuple(fc.constantFrom('/api/canvas/create', '/api/chat', '/api/magic'), body)
  .map(([target, value]): Asked => ({ method: 'POST', target, body: value }));

const asked: fc.Arbitrary<Asked> = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: path }, { weight: 2, arbitrary: written }),
    fc.option(users, { nil: undefined, freq: 12 }),
  )
  .map(([request, who]) => ({ ...request, ...(who !== undefined && { user: who }) }));

const facts = fc.array(fc.tuple(fc.constantFrom(...FILES), users), { maxLength: 3 });

export interface Lived {
  readonly requests: readonly Asked[];
  readonly facts: ReadonlyArray<readonly [string, string]>;
}

/** A life with an answer of each kind, without which the properties would say nothing. */
export const EVERYTHING: Lived = {
  facts: [],
  requests: [
    { method: 'GET', target: '/nothing' },
    { method: 'GET', target: '/api/canvas/list' },
    ...Array.from({ length: 13 }, (): Asked => ({ method: 'GET', target: '/api/canvas/c0', user: 'ann' })),
  ],
};

/** The whole life of one canvas, which chance alone would seldom find. */
const story = fc.tuple(users, canvas, session).map(([user, id, chat]): Asked[] => {
  const body = { canvas_id: id, session_id: chat, name: 'draw', messages: [] };
  const read: Asked = { method: 'GET', target: `/api/canvas/${id}`, user };
  return [
    { method: 'POST', target: '/api/canvas/create', user, body },
    read,
    { method: 'GET', target: `/api/chat_session/${chat}`, user },
    { method: 'DELETE', target: `/api/canvas/${id}/delete`, user },
    read,
    { method: 'GET', target: `/api/chat_session/${chat}`, user },
  ];
});

const requests = fc
  .array(fc.oneof({ weight: 5, arbitrary: asked.map((one) => [one]) }, { weight: 1, arbitrary: story }), {
    minLength: 1,
    maxLength: 14,
  })
  .map((parts) => parts.flat());

/** What is known at first, and what is asked then. */
export const lives: fc.Arbitrary<Lived> = fc.record({ requests, facts });
