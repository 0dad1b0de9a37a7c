import { describe, expect, test } from 'vitest';
import type { SocketRule } from '../../src/model/event.ts';
import { jaazPolicy } from '../support/policies.ts';
import { faultsOf, policyFrom } from '../support/stages.ts';

const socket = (more: string, accept = 'ping: pong', deliver = 'update'): string => `version: 1
name: p
resources: { session: { id: '[a-z]{1,9}' } }
routes: [{ id: a, match: GET /a }]
sockets:
  - path: /s/
    protocol: socket.io
    deliver: { ${deliver}: { owner: { session: id }, type: type, types: { a: {} } } }
    accept: { ${accept} }
    ${more}
`;
const compiled = (more: string): SocketRule => {
  const [rule] = policyFrom(socket(more)).sockets;
  if (rule === undefined) throw new Error('no socket');
  return rule;
};

test('the shipped policy has one endpoint, for web sockets alone, and keeps a little of what was missed', () => {
  const [rule] = jaazPolicy().sockets as readonly [SocketRule];
  expect([...rule.credentials]).toEqual(['auth', 'header']);
  expect([...rule.accept]).toEqual([['ping', 'pong']]);
  expect([...rule.transports]).toEqual(['websocket']);
  expect(rule.missed).toEqual({ ageMillis: 120_000, maxEvents: 1_000, maxBytes: 8_388_608 });
  expect([...rule.deliver.keys()]).toEqual(['session_update']);
});

describe('an endpoint', () => {
  test('is what is said of it', () => {
    const rule = compiled(
      'token: [header]\n    transports: [websocket, polling]\n    missed: { age: 30s, events: 7, size: 64KiB }',
    );
    expect([...rule.transports]).toEqual(['websocket', 'polling']);
    expect(rule.missed).toEqual({ ageMillis: 30_000, maxEvents: 7, maxBytes: 65_536 });
    expect([...rule.deliver.keys()]).toEqual(['update']);
  });

  test('keeps nothing where it is said so', () => {
    expect(compiled('token: [auth]\n    missed: off').missed).toBeUndefined();
  });
});

describe('a fault:', () => {
  const faults = (text: string): string[] => faultsOf(text).map((fault) => fault.replace('p.yaml:', ''));

  test('polling alone', () => {
    expect(faults(socket('token: [header]\n    transports: [polling]'))).toEqual([
      '11:17: each client must be able to get away from polling (found polling, expected [websocket, polling])',
    ]);
  });

  test('more of what was missed than a client could take at once', () => {
    expect(faults(socket('token: [auth]\n    missed: { size: 33MiB }'))).toEqual([
      '11:21: a client that returns could not take so much at once (found 33MiB, expected 32MiB at most)',
    ]);
  });

  test('polling without a token that each request could carry', () => {
    expect(faults(socket('token: [auth, query]\n    transports: [websocket, polling]'))).toEqual([
      '10:12: with polling each request carries its token in a header (found auth, query, expected header among them)',
    ]);
  });

  test.each(['auth', 'gateway'])('%s as the name of an event, of a message or of its reply', (name) => {
    const words = `the gateway itself speaks by this name (found ${name}, expected another event)`;
    expect(faults(socket('token: [auth]', `${name}: pong`))).toEqual([`9:15: ${words}`]);
    expect(faults(socket('token: [auth]', `ping: ${name}`))).toEqual([`9:21: ${words}`]);
    expect(faults(socket('token: [auth]', 'ping: pong', name))).toEqual([`8:16: ${words}`]);
  });

  test.each(['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'])(
    '%s, which the libraries of clients keep for themselves',
    (name) => {
      const words = `Socket.IO keeps this name for itself (found ${name}, expected another event)`;
      expect(faults(socket('token: [auth]', `${name}: pong`))).toEqual([`9:15: ${words}`]);
      expect(faults(socket('token: [auth]', 'ping: pong', name))).toEqual([`8:16: ${words}`]);
    },
  );

  test('but not what merely looks like one of them', () => {
    expect(faults(socket('token: [auth]', 'Auth: gateways', 'connected'))).toEqual([]);
  });
});
