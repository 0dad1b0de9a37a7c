/** The endpoints of live connections, compiled; and what no two of them, and no route beside them, may have in common. */
import type { SocketRule } from '../model/event.ts';
import type { WebSocketRule } from '../model/websocket.ts';
import { compileSocket } from './compile-socket.ts';
import { compileWebSocket } from './compile-websocket.ts';
import { addFault, type Path, type Scope, type Source, type Spot } from './scope.ts';
import { overlaps, parseTemplate, type Template } from './template.ts';

export interface CompiledSockets {
  readonly sockets: readonly SocketRule[];
  readonly webSockets: readonly WebSocketRule[];
}

/** What has an id and matches requests. */
interface Named extends Template {
  readonly id: string;
}

/** Returns the endpoints of all sources; their faults, if any, are in the scope. */
export const compileSockets = (scope: Scope, sources: readonly Source[], routes: readonly Named[]): CompiledSockets => {
  const sockets: SocketRule[] = [];
  const webSockets: WebSocketRule[] = [];
  const written: WrittenEndpoint[] = [];
  for (const source of sources) {
    for (const [index, one] of source.policy.sockets.entries()) {
      const spot = { scope, source, path: ['sockets', index] };
      if (one.protocol === 'socket.io') {
        sockets.push(compileSocket(one, spot));
        continue;
      }
      webSockets.push(compileWebSocket(one, spot));
      written.push({ spot, id: one.id, path: one.path, forwardTo: one['forward-to'] });
    }
  }
  const [first] = sources.filter(({ policy }) => policy.sockets.length > 0);
  if (sockets.length > 1 && first !== undefined) {
    const words = { message: 'one Socket.IO endpoint is supported', found: String(sockets.length) };
    addFault({ scope, source: first, path: ['sockets'] }, words);
  }
  checkPaths(scope, routes, written);
  for (const one of written) checkBroadcast(one, sockets);
  return { sockets, webSockets };
};

interface WrittenEndpoint {
  readonly spot: Spot;
  readonly id: string;
  readonly path: string;
  readonly forwardTo: string | undefined;
}

/** One path is one thing: what a route says of it must not be undone by an endpoint, nor the other way round. */
const checkPaths = (scope: Scope, routes: readonly Named[], endpoints: readonly WrittenEndpoint[]): void => {
  if (endpoints.length === 0) return;
  const earlier = overlaps<Named>(scope.kinds);
  for (const route of routes) earlier.add(route);
  const ids = new Set(routes.map(({ id }) => id));
  for (const { spot, id, path } of endpoints) {
    if (ids.has(id)) addFault(spot, { message: 'this id is used twice', found: id }, ['id']);
    ids.add(id);
    const template = parseTemplate(`GET ${path}`);
    if ('expected' in template) continue;
    for (const other of earlier.add({ ...template, id }) ?? []) {
      const message = `a request could match this endpoint and ${other.id}`;
      addFault(spot, { message, found: id, expected: 'one meaning for each path' }, ['path']);
    }
  }
};

/**
 * The upstream's Socket.IO says everything to everybody, and its path is a prefix (contract, section 4). An id in a path may
 * be its name, too.
 */
const checkBroadcast = ({ spot, path, forwardTo }: WrittenEndpoint, sockets: readonly SocketRule[]): void => {
  const [text, at]: readonly [string, Path] = forwardTo === undefined ? [path, ['path']] : [forwardTo, ['forward-to']];
  const asked = plainTemplate(text);
  if ('expected' in asked) {
    const words = { message: 'not a plain path', found: text, expected: 'a path without empty and dot segments' };
    if (forwardTo !== undefined) addFault(spot, words, at);
    return;
  }
  for (const socket of sockets) {
    const taken = plainTemplate(socket.path);
    if ('expected' in taken) continue;
    const { method, segments } = taken;
    const earlier = overlaps(spot.scope.kinds);
    earlier.add(taken);
    earlier.add({ method, segments: [...segments, { kind: 'rest' }] });
    if (earlier.add(asked)?.length === 0) continue;
    const message = 'this would lead to the Socket.IO endpoint, past its rules';
    addFault(spot, { message, found: text, expected: `a path that is not below ${socket.path}` }, at);
  }
};

/** With or without a slash at its end it is the same to the upstream. */
const plainTemplate = (path: string) => parseTemplate(`GET ${path.replace(/(?<=[^/])[/]$/, '')}`);
