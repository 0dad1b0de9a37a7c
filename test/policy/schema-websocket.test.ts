import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { webSocket } from '../../src/policy/schema-websocket.ts';

const least = { id: 'a', path: '/ws', protocol: 'websocket', token: ['header'] };

test('what is left out has the strictest meaning', () => {
  expect(webSocket.parse({ ...least, send: { ping: {} }, deliver: { hello: {} } })).toEqual({
    ...least,
    shared: false,
    opaque: false,
    subprotocols: [],
    send: { ping: { shared: false } },
    deliver: { hello: { relative: false } },
  });
});

describe('not of the form:', () => {
  test.each([
    ['a token in auth', { token: ['auth'] }],
    ['no place for a token', { token: [] }],
    ['no roles', { roles: [] }],
    ['an id with a space', { id: 'a b' }],
    ['a sub-protocol with a comma', { subprotocols: ['a,b'] }],
    ['a path with a query to forward to', { 'forward-to': '/a?b' }],
    ['a number as size', { max: 1024 }],
    ['a verb that deletes', { send: { ping: { release: { session: 'id' } } } }],
    ['nothing hidden', { deliver: { hello: { redact: [] } } }],
    ['an empty type', { send: { '': {} } }],
  ])('%s', (_, more) => {
    expect(webSocket.safeParse({ ...least, ...more }).success).toBe(false);
  });
});

test('every key says what it is', () => {
  const undescribed: string[] = [];
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const {
      properties = {},
      additionalProperties,
      items,
      anyOf = [],
    } = node as Record<string, unknown> & { anyOf?: unknown[] };
    for (const [key, value] of Object.entries(properties as Record<string, { description?: string }>)) {
      if (value.description === undefined) undescribed.push(`${path}.${key}`);
      walk(value, `${path}.${key}`);
    }
    for (const inner of [additionalProperties, items, ...anyOf]) walk(inner, `${path}[]`);
  };
  walk(z.toJSONSchema(webSocket, { io: 'input' }), '');
  expect(undescribed).toEqual([]);
});
