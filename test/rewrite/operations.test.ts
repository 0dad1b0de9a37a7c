import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { Catalogue, RewriteContext } from '../../src/model/route.ts';
import { operations } from '../../src/rewrite/operations.ts';
import { post, refusalOf } from '../support/bodies.ts';
import { principalOf } from '../support/stages.ts';

const models: Catalogue = { name: 'models', target: '/m', keys: ['provider', 'model'], maxAgeMillis: 1 };
const tools: Catalogue = { name: 'tools', target: '/t', keys: ['id'], maxAgeMillis: 1 };
const offered: Record<string, readonly JsonObject[]> = {
  models: [
    { provider: 'p', model: 'a', url: 'https://right.example', type: 'text' },
    { provider: 'p', model: 'b', url: '' },
    { provider: 'odd', model: 5 },
  ],
  tools: [{ id: 'draw', provider: 'p', display_name: 'Draw' }, { id: 'film' }],
};
const context: RewriteContext = {
  canonical: post(),
  principal: principalOf('alice'),
  catalogue: async ({ name }) => offered[name] ?? [],
};
const bodyOf = (text: string) => JSON.parse(text) as JsonObject;

describe('set', () => {
  test('puts the user there, whatever the client put', async () => {
    const body = { user_id: { evil: true }, other: 1 } as JsonObject;
    await operations.set(
      new Map([
        ['user_id', 'user.id'],
        ['name', 'user.name'],
      ]),
    )(body, context);
    expect(body).toEqual({ user_id: 'test|alice', other: 1, name: 'alice' });
  });

  test('removes the client’s where nobody is known', async () => {
    const body = { user_id: 'evil' } as JsonObject;
    await operations.set(new Map([['user_id', 'user.id']]))(body, { ...context, principal: undefined });
    expect(body).toEqual({});
  });

  test('sets __proto__ as a key like any other', async () => {
    const body = bodyOf('{"a":1}');
    await operations.set(new Map([['__proto__', 'user.id']]))(body, context);
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
  });
});

describe('set, of constants and roles', () => {
  test('puts a copy of the constant there', async () => {
    const value = { a: [1] };
    const body = {} as JsonObject;
    await operations.set(new Map([['x', { value }]]))(body, context);
    expect(body).toEqual({ x: { a: [1] } });
    expect(body.x).not.toBe(value);
  });

  test('puts the list of the caller’s roles there, or nothing where nobody is known', async () => {
    const set = operations.set(new Map([['roles', 'user.roles']]));
    const body = { roles: ['admin'] } as JsonObject;
    await set(body, { ...context, principal: principalOf('alice', ['a', 'b']) });
    expect(body).toEqual({ roles: ['a', 'b'] });
    await set(body, { ...context, principal: undefined });
    expect(body).toEqual({});
  });
});

describe('rename', () => {
  test('moves a top-level field', async () => {
    const body = bodyOf('{"a":{"b":1}}');
    await operations.rename({ from: 'a', to: '__proto__' })(body, context);
    expect(Object.entries(body)).toEqual([['__proto__', { b: 1 }]]);
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
  });

  test('leaves a body alone that does not have it', async () => {
    const body = bodyOf('{"c":1}');
    await operations.rename({ from: 'constructor', to: 'b' })(body, context);
    expect(body).toEqual({ c: 1 });
  });

  test('refuses a body that has the new name already', async () => {
    const body = bodyOf('{"a":1,"b":null}');
    expect(await refusalOf(() => operations.rename({ from: 'a', to: 'b' })(body, context))).toBe('field-invalid 400');
    const other = bodyOf('{"b":2}');
    expect(await refusalOf(() => operations.rename({ from: 'a', to: 'b' })(other, context))).toBe('field-invalid 400');
  });
});

test('drop removes top-level fields only', async () => {
  const body = { a: 1, b: { a: 2 } } as JsonObject;
  await operations.drop(['a', 'missing'])(body, context);
  expect(body).toEqual({ b: { a: 2 } });
});

describe('catalogue, one choice', () => {
  const choose = operations.catalogue({ field: 'text_model', from: models, each: false });

  test('becomes the upstream’s own entry: nothing of the client’s is left', async () => {
    const body = bodyOf(
      '{"text_model":{"provider":"p","model":"a","url":"https://evil.example","api_key":"x","__proto__":{"y":1}}}',
    );
    await choose(body, context);
    expect(body).toEqual({ text_model: offered.models?.[0] });
    expect(Object.getOwnPropertyNames(body.text_model)).toEqual(['provider', 'model', 'url', 'type']);
  });

  test('is a copy: a later step cannot change what is offered to others', async () => {
    const body = { text_model: { provider: 'p', model: 'a' } } as JsonObject;
    await choose(body, context);
    (body.text_model as JsonObject).url = 'changed';
    expect(offered.models?.[0]?.url).toBe('https://right.example');
  });

  test.each([
    ['of another provider', { provider: 'q', model: 'a' }],
    ['with a key missing', { model: 'a' }],
    ['whose key is inherited', Object.create({ provider: 'p', model: 'a' })],
    ['with a number that is offered', { provider: 'odd', model: 5 }],
    ['an empty object', {}],
    ['a text', 'a'],
    ['a number', 5],
    ['true', true],
  ])('%s is unknown', async (_name, choice) => {
    expect(await refusalOf(() => choose({ text_model: choice } as JsonObject, context))).toBe('catalogue-unknown 400');
  });

  test('a list is not one choice', async () => {
    const body = { text_model: [{ provider: 'p', model: 'a' }] } as JsonObject;
    expect(await refusalOf(() => choose(body, context))).toBe('field-invalid 400');
  });

  test.each([{}, { text_model: null }])('%j asks for nothing', async (body) => {
    const before = structuredClone(body);
    await choose(body as JsonObject, { ...context, catalogue: () => Promise.reject(new Error('asked')) });
    expect(body).toEqual(before);
  });

  test('is refused while the catalogue cannot be read', async () => {
    const down = () => Promise.reject(new Rejection('catalogue-unavailable', 'x'));
    const body = { text_model: { provider: 'p', model: 'a' } } as JsonObject;
    expect(await refusalOf(() => choose(body, { ...context, catalogue: down }))).toBe('catalogue-unavailable 502');
  });
});

describe('catalogue, a list of choices', () => {
  const choose = operations.catalogue({ field: 'tool_list', from: tools, each: true });

  test('is cut to what is offered, each entry the upstream’s own', async () => {
    const body = { tool_list: [{ id: 'draw', url: 'https://evil.example' }, { id: 'rm' }, 5, null] } as JsonObject;
    await choose(body, context);
    expect(body).toEqual({ tool_list: [offered.tools?.[0]] });
  });

  test('names each entry once, however often it was chosen', async () => {
    const body = { tool_list: [{ id: 'film' }, { id: 'draw' }, { id: 'film' }] } as JsonObject;
    await choose(body, context);
    expect(body).toEqual({ tool_list: [{ id: 'film' }, offered.tools?.[0]] });
  });

  test('is refused when it is longer than anybody chooses', async () => {
    const body = { tool_list: Array.from({ length: 1_001 }, () => ({ id: 'draw' })) } as unknown as JsonObject;
    expect(await refusalOf(() => choose(body, context))).toBe('field-invalid 400');
  });

  test.each([{ id: 'draw' }, 'draw', 5])('%j is no list', async (choice) => {
    expect(await refusalOf(() => choose({ tool_list: choice } as JsonObject, context))).toBe('field-invalid 400');
  });
});

describe('inline', () => {
  const inline = operations.inline('image_url');
  const picture = 'data:image/png;base64,AAAA';
  const deep = (value: unknown) =>
    ({ messages: [{ content: [{ type: 'text' }, { type: 'image_url', image_url: value }] }] }) as unknown as JsonObject;

  test.each([[picture], [{ url: picture, detail: 'high' }], [null]])('lets %j pass', async (value) => {
    const body = deep(value);
    const before = structuredClone(body);
    await inline(body, context);
    expect(body).toEqual(before);
  });

  test.each([
    ['http', 'http://169.254.169.254/'],
    ['https', { url: 'https://evil.example/a.png' }],
    ['a file', 'file:///etc/passwd'],
    ['a path', '/api/file/im_aaaaaaaa.png'],
    ['another data URL', 'data:text/html,<script>'],
    ['an object without url', {}],
    ['an url that is no text', { url: 5 }],
    ['an url that is null', { url: null }],
    ['a list', [picture]],
    ['a number', 5],
    ['a blank before it', ` ${picture}`],
  ])('refuses %s', async (_name, value) => {
    expect(await refusalOf(() => inline(deep(value), context))).toBe('image-not-inline 400');
  });

  test.each([
    ['inside an own picture', { image_url: { url: picture, more: { image_url: 'http://x' } } }],
    ['under __proto__', bodyOf('{"__proto__":{"image_url":"http://x"}}')],
    ['in lists of lists', { a: [[[{ image_url: 'http://x' }]]] }],
  ])('looks %s', async (_name, body) => {
    expect(await refusalOf(() => inline(body as unknown as JsonObject, context))).toBe('image-not-inline 400');
  });
});
