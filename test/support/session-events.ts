/** A small policy for live events, as the one for Jaaz has it: sessions own events, canvases agree, files are learned. */
import type { EventRule, EventTypeRule, SocketRule } from '../../src/model/event.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { ResourceKind } from '../../src/model/resource.ts';
import type { Deliverable } from '../../src/realtime/classify.ts';

const kind = (name: string, pattern: RegExp, more: Partial<ResourceKind> = {}): ResourceKind => ({
  name,
  pattern,
  reserved: new Set(),
  parent: undefined,
  probe: undefined,
  url: undefined,
  ...more,
});

export const canvas = kind('canvas', /^[A-Za-z0-9_-]{1,64}$/, { reserved: new Set(['default', 'list']) });
export const session = kind('session', /^[A-Za-z0-9_-]{1,64}$/, { parent: 'canvas' });
export const file = kind('file', /^(?:(?:im|vi)_[A-Za-z0-9_-]{8}|[A-Za-z0-9_-]{10})[.][a-z0-9]{2,5}$/, {
  parent: 'session',
  url: '/api/file/',
});

const plain: EventTypeRule = { learn: [], endsRun: false };
const image: EventTypeRule = {
  learn: [
    { kind: file, path: parseFieldPath('file.dataURL') },
    { kind: file, path: parseFieldPath('image_url') },
  ],
  endsRun: false,
};

export const sessionUpdate: EventRule = {
  name: 'session_update',
  owner: { kind: session, path: parseFieldPath('session_id') },
  agree: [{ kind: canvas, path: parseFieldPath('canvas_id') }],
  typePath: parseFieldPath('type'),
  types: new Map([
    ['delta', plain],
    ['all_messages', plain],
    ['tool_call_result', plain],
    ['image_generated', image],
    ['tool_call_pending_confirmation', { ...plain, pending: parseFieldPath('id') }],
    ['tool_call_confirmed', { ...plain, settled: parseFieldPath('id') }],
    ['error', { ...plain, redact: [parseFieldPath('error'), parseFieldPath('trace[*].key')] }],
    ['done', { learn: [], endsRun: true }],
  ]),
  relativeUrls: true,
};

export const eventRules: ReadonlyMap<string, EventRule> = new Map([['session_update', sessionUpdate]]);

export const socketRule: SocketRule = {
  path: '/socket.io/',
  transports: new Set(['websocket']),
  missed: undefined,
  credentials: new Set(['auth', 'header']),
  deliver: eventRules,
  accept: new Map([['ping', 'pong']]),
};

export const pollingRule: SocketRule = { ...socketRule, transports: new Set(['websocket', 'polling']) };

/** What `classify` makes of an event of a session. */
export const deliverable = (rule: EventRule = sessionUpdate, sessionId = 's1'): Deliverable => ({
  kind: 'deliver',
  rule,
  type: 'delta',
  typeRule: plain,
  owner: { kind: 'session', id: sessionId },
  agree: [],
  learn: [],
});

/** An event as the upstream sends it. */
export const update = (sessionId: unknown, type: string, more: object = {}) => ({
  name: 'session_update',
  payload: { session_id: sessionId, canvas_id: null, type, ...more } as JsonObject,
});
