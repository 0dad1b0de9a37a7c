import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatBody, dones, get, listen, post, postBytes, start } from './support.ts';

let standIn: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  standIn = await start();
});
afterAll(() => standIn[Symbol.asyncDispose]());

const json = async (path: string) => JSON.parse((await get(standIn, path)).text);
const make = (canvas_id: unknown, name: unknown = 'N') => post(standIn, '/api/canvas/create', { canvas_id, name });

describe('canvases', () => {
  test('the list holds everybody’s, newest update first, and the default row', async () => {
    await make('list-1');
    await make('list-2');
    await post(standIn, '/api/canvas/list-1/save', { data: {}, thumbnail: '/api/file/x.png' });
    const list: { id: string; thumbnail: string }[] = await json('/api/canvas/list');
    expect(Object.keys(list[0] ?? {})).toEqual(['id', 'name', 'description', 'thumbnail', 'created_at', 'updated_at']);
    const ids = list.map(({ id }) => id);
    expect(ids).toContain('default');
    expect(ids.indexOf('list-1')).toBeLessThan(ids.indexOf('list-2'));
  });

  test('a missing canvas is null, and changing it is 200', async () => {
    expect(await get(standIn, '/api/canvas/none')).toEqual({ status: 200, text: 'null' });
    const saved = await post(standIn, '/api/canvas/none/save', { data: {}, thumbnail: null });
    expect(saved).toEqual({ status: 200, text: '{"id":"none"}' });
    expect((await post(standIn, '/api/canvas/none/rename', { name: 'x' })).status).toBe(200);
    const removed = await fetch(`${standIn.url}/api/canvas/none/delete`, { method: 'DELETE' });
    expect(await removed.text()).toBe('{"id":"none"}');
    expect((await get(standIn, '/api/canvas/none')).text).toBe('null');
  });

  test('scalars for an id become text, and no id is a row with NULL, again and again', async () => {
    await make(77);
    await make(7.5);
    await make(true);
    for (const id of ['77', '7.5', '1']) expect((await json(`/api/canvas/${id}`)).name).toBe('N');
    for (const _ of [1, 2]) {
      expect((await post(standIn, '/api/canvas/create', { name: 'no id' })).text).toBe('{"id":null}');
    }
    const list: { id: string | null }[] = await json('/api/canvas/list');
    expect(list.filter(({ id }) => id === null)).toHaveLength(2);
  });

  test.each([
    ['a taken id', '{"canvas_id":"default","name":"x"}'],
    ['no name', '{"canvas_id":"fresh-1"}'],
    ['null as a name', '{"canvas_id":"fresh-2","name":null}'],
    ['a list as an id', '{"canvas_id":[],"name":"x"}'],
    ['an integer over 64 bit', '{"canvas_id":123456789012345678901234567890,"name":"x"}'],
    ['a lone surrogate', '{"canvas_id":"\\ud800","name":"x"}'],
    ['a list for a body', '[]'],
    ['an empty body', ''],
  ])('create with %s is 500', async (_name, body) => {
    expect(await post(standIn, '/api/canvas/create', body)).toEqual({ status: 500, text: 'Internal Server Error' });
  });

  test('a body is read whatever its type says', async () => {
    const utf16 = Buffer.from('{"canvas_id":"typed","name":"N"}', 'utf16le');
    const sent = { bytes: utf16, type: 'multipart/form-data' };
    expect((await postBytes(standIn, '/api/canvas/create', sent)).status).toBe(200);
    expect((await json('/api/canvas/typed')).data).toEqual({});
  });

  test.each(['NaN', '-Infinity', '1e999', '"\\ud800"'])(
    '%s in saved data makes every later read a 500',
    async (value) => {
      const id = `poison-${encodeURIComponent(value)}`.replaceAll('%', '_');
      await make(id);
      const saved = await post(standIn, `/api/canvas/${id}/save`, `{"data":{"x":${value}},"thumbnail":null}`);
      expect(saved.status).toBe(200);
      for (const _ of [1, 2]) expect((await get(standIn, `/api/canvas/${id}`)).status).toBe(500);
      expect((await get(standIn, '/api/canvas/list')).status).toBe(200);
    },
  );

  test.each(['{"data":{}}', '{"thumbnail":null}', '{"data":{},"thumbnail":{}}'])('save of %s is 500', async (body) => {
    await make('half');
    expect((await post(standIn, '/api/canvas/half/save', body)).status).toBe(500);
  });

  test('what was saved comes back, __proto__ and all', async () => {
    await make('kept');
    const data = '{"elements":[1,2.5,"é",null],"__proto__":{"a":true},"big":12345678901234567890}';
    await post(standIn, '/api/canvas/kept/save', `{"data":${data},"thumbnail":""}`);
    expect((await get(standIn, '/api/canvas/kept')).text).toBe(`{"data":${data},"name":"N","sessions":[]}`);
  });

  test('rename to null is 500 and does not touch updated_at otherwise', async () => {
    await make('named');
    const before = (await json('/api/canvas/list')).find(({ id }: { id: string }) => id === 'named');
    await post(standIn, '/api/canvas/named/rename', { name: 'other' });
    const after = (await json('/api/canvas/list')).find(({ id }: { id: string }) => id === 'named');
    expect(after).toEqual({ ...before, name: 'other' });
    expect((await post(standIn, '/api/canvas/named/rename', {})).status).toBe(500);
  });

  test('deleting leaves sessions and files readable', async () => {
    using ear = await listen(standIn);
    await post(standIn, '/api/canvas/create', chatBody('gone', 'gone-s', 'draw SECRET'));
    const updates = await ear.until(dones('gone-s', 2));
    const url = String(updates.find(({ type }) => type === 'image_generated')?.image_url);
    await fetch(`${standIn.url}/api/canvas/gone/delete`, { method: 'DELETE' });
    expect((await get(standIn, '/api/canvas/gone')).text).toBe('null');
    expect((await get(standIn, '/api/chat_session/gone-s')).text).toContain('draw SECRET');
    expect((await get(standIn, url)).status).toBe(200);
  });
});

test('the database file has the tables and columns of section 7', () => {
  const database = new DatabaseSync(standIn.databasePath, { readOnly: true });
  const columns = (table: string) =>
    database
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map(({ name }) => name);
  expect(database.prepare('SELECT version FROM db_version').all()).toEqual([{ version: 3 }]);
  const stamps = ['created_at', 'updated_at'];
  expect(columns('canvases')).toEqual(['id', 'name', 'data', 'description', 'thumbnail', ...stamps]);
  expect(columns('chat_sessions')).toEqual(['id', ...stamps, 'title', 'model', 'provider', 'canvas_id']);
  expect(columns('chat_messages')).toEqual(['id', 'session_id', 'role', 'message', ...stamps]);
  const about = ['api_json', 'description', 'inputs', 'outputs'];
  expect(columns('comfy_workflows')).toEqual(['id', 'name', ...about, ...stamps]);
  database.close();
});
