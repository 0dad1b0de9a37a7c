import { expect, test } from 'vitest';
import { webSocketAt } from '../../src/model/websocket.ts';
import { policyFrom } from '../support/stages.ts';

const { webSockets } = policyFrom(`version: 1
name: p
resources: { canvas: { id: '[a-z]+', reserved: [list] }, session: { id: '[0-9]+' } }
routes: [{ id: a, match: GET /a }]
sockets:
  - { id: list, path: /ws/list, protocol: websocket, token: [header], opaque: true }
  - { id: one, path: '/ws/{canvas}', protocol: websocket, token: [header], opaque: true }
  - { id: two, path: '/ws/{canvas}/at/{session}', protocol: websocket, token: [header], opaque: true, forward-to: /live/ }
`);

test.each([
  ['/ws/list', 'list', '/ws/list', []],
  ['/ws/abc', 'one', '/ws/abc', ['canvas:abc']],
  ['/ws/abc/at/7', 'two', '/live/', ['canvas:abc', 'session:7']],
])('%s is the endpoint %s, and the upstream is asked for %s', (path, id, target, named) => {
  const match = webSocketAt(webSockets, path);
  expect([match?.rule.id, match?.target]).toEqual([id, target]);
  expect(match?.resources.map((ref) => `${ref.kind}:${ref.id}`)).toEqual(named);
});

test.each(['/ws', '/ws/', '/ws/ABC', '/ws/abc/', '/ws/abc/at/x', '/ws/abc/at/7/8', '//ws/abc', 'ws/list', '', '/'])(
  '%s is none',
  (path) => {
    expect(webSocketAt(webSockets, path)).toBeUndefined();
  },
);
