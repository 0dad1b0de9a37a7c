/** A WebSocket endpoint as written -> the rule by which its handshake and its messages are judged. */
import { isId } from '../authz/locate.ts';
import { isManifold } from '../model/field-path.ts';
import type { MessageRules, OpaqueRule, WebSocketRule, WebSocketSegment } from '../model/websocket.ts';
import { durationMillis, sizeBytes } from './amounts.ts';
import { compileDelivered, compileSent } from './compile-message.ts';
import { place } from './refer.ts';
import { rolloutOf } from './rollout.ts';
import type { ParsedWebSocket } from './schema.ts';
import { addFault, referred, type Spot } from './scope.ts';
import { parseTemplate } from './template.ts';

const DEFAULT_IDLE_MILLIS = 600_000;

/** Where a client finds what was refused. */
const NOTICE = 'refused';

/** Returns the compiled endpoint; its faults, if any, are in the scope. */
export const compileWebSocket = (written: ParsedWebSocket, spot: Spot): WebSocketRule => {
  const { id, path, token, roles = [], subprotocols, 'forward-to': forwardTo, opaque, idle, max } = written;
  return {
    id,
    rollout: rolloutOf(spot.source.policy),
    segments: compilePath(written, spot),
    credentials: new Set(token),
    roles,
    subprotocols,
    forwardTo,
    terms: JSON.stringify([path, token, roles, subprotocols, forwardTo, opaque, idle, max]),
    carries: opaque ? compileOpaque(written, spot) : compileMessages(written, spot),
  };
};

/** Each parameter is named after a kind and checked by that name alone: what is not checked has no place in a path. */
const compilePath = ({ path }: ParsedWebSocket, spot: Spot): readonly WebSocketSegment[] => {
  const template = parseTemplate(`GET ${path}`);
  const at = { ...spot, path: [...spot.path, 'path'] };
  if ('expected' in template || template.segments.length === 0) {
    const expected = 'expected' in template ? template.expected : '/path';
    addFault(at, { message: 'not the path of an endpoint', found: path, expected: expected.replace(/^METHOD /, '') });
    return [];
  }
  return template.segments.flatMap((segment): WebSocketSegment[] => {
    if (segment.kind === 'literal') return [segment];
    if (segment.kind === 'rest') {
      addFault(at, { message: 'an endpoint has one path', found: path, expected: 'a path without *' });
      return [];
    }
    const kind = referred(spot.scope.kinds, segment.name, { ...at, what: 'this resource' });
    if (kind === undefined) return [];
    return [{ kind: 'parameter', name: kind.name, isId: (value) => isId(kind, value) }];
  });
};

/** What a tunnel cannot keep must not be written as if it did. */
const compileOpaque = (written: ParsedWebSocket, spot: Spot): OpaqueRule => {
  for (const word of ['type', 'max', 'send', 'deliver'] as const) {
    if (written[word] === undefined) continue;
    addFault(spot, { message: 'an opaque endpoint judges no messages', found: word }, [word]);
  }
  return {
    kind: 'opaque',
    idleMillis: written.idle === undefined ? DEFAULT_IDLE_MILLIS : durationMillis(written.idle),
  };
};

const compileMessages = (written: ParsedWebSocket, spot: Spot): MessageRules => {
  const { type, max, send = {}, deliver = {}, idle } = written;
  if (idle !== undefined) {
    addFault(spot, { message: 'only an opaque endpoint is ended when nothing passes', found: idle }, ['idle']);
  }
  const missing = Object.entries({ type, max }).find(([, value]) => value === undefined)?.[0];
  if (missing !== undefined) {
    const message = `messages cannot be judged without ${missing}`;
    addFault(spot, { message, expected: 'type: FIELD and max: SIZE, or opaque: true' });
  }
  if (Object.keys(send).length + Object.keys(deliver).length === 0) {
    addFault(spot, { message: 'no message may pass here', expected: 'send: { TYPE: … } or deliver: { TYPE: … }' });
  }
  const typePath = type === undefined ? [] : place(spot, type, ['type']);
  if (isManifold(typePath)) {
    addFault(spot, { message: 'a message has one type', found: type ?? '', expected: 'a.b' }, ['type']);
  }
  if (typePath[0] === NOTICE) {
    addFault(spot, { message: 'the gateway’s own messages have this field', found: type ?? '' }, ['type']);
  }
  const maxBytes = max === undefined ? 1 : sizeBytes(max);
  return {
    kind: 'messages',
    typePath: typePath.filter((step) => typeof step === 'string'),
    maxBytes,
    send: new Map(
      Object.entries(send).map(([name, one]) => [
        name,
        compileSent(one, below(spot, 'send', name), { typePath, maxBytes }),
      ]),
    ),
    deliver: new Map(
      Object.entries(deliver).map(([name, one]) => [
        name,
        compileDelivered(one, below(spot, 'deliver', name), { name, typePath }),
      ]),
    ),
  };
};

const below = (spot: Spot, word: string, name: string): Spot => ({ ...spot, path: [...spot.path, word, name] });
