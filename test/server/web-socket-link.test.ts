import { duplexPair } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { AuditRecord } from '../../src/model/audit.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { webSocketAt } from '../../src/model/websocket.ts';
import { canonical } from '../../src/server/canonical.ts';
import { endLink, records, type WebSocketLink } from '../../src/server/web-socket-link.ts';
import { policyFrom, principalOf } from '../support/stages.ts';
import { AGENT_POLICY } from '../support/web-socket-door.ts';

const RAW = {
  method: 'GET',
  target: '/ws/canvas/canvas-ann',
  rawHeaders: ['Host', 'a', 'User-Agent', 'client/1\u00e9'],
  remoteAddress: '192.0.2.7',
};

const linkOf = (mode = ''): WebSocketLink => {
  const request = canonical({ hosts: undefined, trustedProxies: [] })(RAW);
  const { webSockets } = policyFrom(AGENT_POLICY.replace('name: agents', `name: agents\n${mode}`));
  const match = webSocketAt(webSockets, request.path);
  if (match === undefined) throw new Error('no endpoint');
  return {
    ...{ request, match, duplex: duplexPair()[0], startedMillis: 1_000, principal: principalOf('ann'), denials: [] },
    ...{ load: undefined, opening: new AbortController(), ended: undefined, told: 0, untold: 0 },
  };
};

const recording = () => {
  const written: AuditRecord[] = [];
  return {
    written,
    record: records(
      (one) => written.push(one),
      () => 1_500,
    ),
  };
};

const note = (outcome: 'refused' | 'allowed', more: object = {}) => ({
  outcome,
  rejection: new Rejection('event-refused', 'message "x"'),
  resources: [],
  findings: [],
  ...more,
});

describe('the record', () => {
  test('of a connection says who, where and for how long', () => {
    const { written, record } = recording();
    const link = linkOf();
    record.link(link, { outcome: 'refused', reason: 'authority-expired', detail: 'x' });
    expect(written).toMatchObject([
      {
        kind: 'socket',
        requestId: link.request.id,
        route: 'canvas',
        path: '/ws/canvas/canvas-ann',
        owner: 'test|ann',
        address: '192.0.2.7',
        resources: [{ kind: 'canvas', id: 'canvas-ann' }],
        reason: 'authority-expired',
        millis: 500,
      },
    ]);
    expect(Object.keys(written[0] ?? {})).not.toContain('client');
  });

  test('of messages is of the first few one by one, and of the others their number', () => {
    const { written, record } = recording();
    const link = linkOf();
    for (let n = 0; n < 25; n += 1) record.message(link, note('refused'));
    record.rest(link);
    record.rest(link);
    expect(written.length).toBe(11);
    expect(written[0]).toMatchObject({
      kind: 'event',
      outcome: 'refused',
      reason: 'event-refused',
      detail: 'message "x"',
    });
    expect(written[10]).toMatchObject({ kind: 'event', outcome: 'refused', detail: '15 further messages' });
  });

  test('in shadow mode says what was found, and of which client', () => {
    const { written, record } = recording();
    const link = linkOf('mode: shadow');
    record.message(link, note('allowed', { findings: [{ would: 'deny', reason: 'event-refused', detail: 'x' }] }));
    expect(written).toMatchObject([
      { outcome: 'allowed', reason: undefined, mode: 'shadow', findings: [{ would: 'deny' }], client: 'client/1?' },
    ]);
    record.link(linkOf('mode: off'), { outcome: 'allowed', findings: [] });
    expect(written[1]).toMatchObject({ mode: 'off' });
    expect(written[1]).not.toHaveProperty('findings');
  });

  test('of what was refused before it could be read has what is known', () => {
    const { written, record } = recording();
    record.refused(RAW, { id: 'r', request: undefined, link: undefined }, new Rejection('target-invalid', 'x'));
    record.refused(RAW, { id: 'r', request: undefined, link: undefined }, new Rejection('client-gone', 'x'));
    record.refused(RAW, { id: 'r', request: linkOf().request, link: linkOf() }, new Rejection('upstream-broken', 'x'));
    expect(written.map(({ outcome, path, route, owner, status }) => [outcome, path, route, owner, status])).toEqual([
      ['refused', undefined, undefined, undefined, 400],
      ['aborted', undefined, undefined, undefined, 499],
      ['failed', '/ws/canvas/canvas-ann', 'canvas', 'test|ann', 502],
    ]);
  });
});

describe('a connection is ended', () => {
  test('by what carries it, and else by giving up what is under way: once', () => {
    const ends: string[] = [];
    const open = linkOf();
    open.load = {
      tick: () => undefined,
      held: () => ({ messages: 0, bytes: 0 }),
      end: ({ reason }) => ends.push(reason),
    };
    endLink(open, new Rejection('token-revoked', 'x'));
    expect(ends).toEqual(['token-revoked']);
    const opening = linkOf();
    endLink(opening, new Rejection('token-revoked', 'x'));
    endLink(opening, new Rejection('shutting-down', 'x'));
    expect([opening.ended?.reason, opening.opening.signal.aborted]).toEqual(['token-revoked', true]);
  });
});
