/** A Socket.IO endpoint as written -> how clients reach it, what is kept for them, and the rules of its events. */
import type { MissedRule, SocketRule } from '../model/event.ts';
import { durationMillis, sizeBytes } from './amounts.ts';
import { compileEvent } from './compile-event.ts';
import type { ParsedSocket } from './schema.ts';
import { addFault, type Spot } from './scope.ts';

/** Returns the compiled socket; its faults, if any, are in the scope. */
export const compileSocket = (written: ParsedSocket, spot: Spot): SocketRule => {
  checkTransports(written, spot);
  for (const name of Object.keys(written.deliver)) checkName(name, spot, { at: 'key', below: ['deliver', name] });
  for (const [name, reply] of Object.entries(written.accept)) {
    checkName(name, spot, { at: 'key', below: ['accept', name] });
    checkName(reply, spot, { below: ['accept', name] });
  }
  return {
    path: written.path,
    transports: new Set(written.transports),
    missed: compileMissed(written.missed, spot),
    credentials: new Set(written.token),
    deliver: new Map(
      Object.entries(written.deliver).map(([name, rule]) => [
        name,
        compileEvent(name, rule, { ...spot, path: [...spot.path, 'deliver', name] }),
      ]),
    ),
    accept: new Map(Object.entries(written.accept)),
  };
};

/** What is handed to a client that returns waits for it like everything else, and must not be more than may wait. */
const MAX_MISSED_BYTES = 32 * 1024 * 1024;

const compileMissed = (written: ParsedSocket['missed'], spot: Spot): MissedRule | undefined => {
  if (written === 'off') return undefined;
  const { age, events, size } = written;
  const maxBytes = sizeBytes(size);
  if (maxBytes > MAX_MISSED_BYTES) {
    const message = 'a client that returns could not take so much at once';
    addFault(spot, { message, found: size, expected: '32MiB at most' }, ['missed', 'size']);
  }
  return { ageMillis: durationMillis(age), maxEvents: events, maxBytes };
};

/** `auth` of the handshake comes but once, and with polling each request stands for itself. */
const checkTransports = ({ transports, token }: ParsedSocket, spot: Spot): void => {
  if (!transports.includes('websocket')) {
    const message = 'each client must be able to get away from polling';
    addFault(spot, { message, found: transports.join(', '), expected: '[websocket, polling]' }, ['transports']);
  }
  if (transports.includes('polling') && !token.includes('header')) {
    const message = 'with polling each request carries its token in a header';
    addFault(spot, { message, found: token.join(', '), expected: 'header among them' }, ['token']);
  }
};

/** The gateway's own words on a connection, and those that the clients' libraries keep for themselves. */
const RESERVED = new Map([
  ...['auth', 'gateway'].map((name) => [name, 'the gateway itself speaks by this name'] as const),
  ...['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'].map(
    (name) => [name, 'Socket.IO keeps this name for itself'] as const,
  ),
]);

const checkName = (name: string, spot: Spot, place: { at?: 'key'; below: Spot['path'] }): void => {
  const message = RESERVED.get(name);
  if (message === undefined) return;
  const { at, below } = place;
  addFault(spot, { message, found: name, expected: 'another event', ...(at === undefined ? {} : { at }) }, below);
};
