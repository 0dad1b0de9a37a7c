import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imageSize } from '../../demo/jaaz/image.ts';
import { chatBody, dones, get, listen, post, postBytes, start, type Update } from './support.ts';

let standIn: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  standIn = await start();
});
afterAll(() => standIn[Symbol.asyncDispose]());

const TOOL = ['tool_call', 'tool_call_arguments', 'all_messages', 'tool_call_result', 'all_messages'];
const DRAWING = TOOL.toSpliced(3, 0, 'image_generated');
const RUN = ['all_messages', ...TOOL, ...TOOL, 'delta', ...DRAWING, 'delta', 'all_messages', 'done', 'done'];

/** The types in order, repeated fragments counted once; `done` is never merged. */
const order = (updates: readonly Update[]) =>
  updates.map(({ type }) => type).filter((type, at, types) => type !== types[at - 1] || type === 'done');
const ofSession = (updates: readonly Update[], id: unknown) => updates.filter((update) => update.session_id === id);
const make = (canvas_id: string) => post(standIn, '/api/canvas/create', { canvas_id, name: 'N' });

describe('a run', () => {
  test('has the typical order of events and draws one picture', async () => {
    using ear = await listen(standIn);
    await make('c1');
    expect(await post(standIn, '/api/chat', chatBody('c1', 's1', 'MARKER-1'))).toEqual({
      status: 200,
      text: '{"status":"done"}',
    });
    const updates = ofSession(await ear.until(dones('s1', 2)), 's1');
    expect(order(updates)).toEqual(RUN);
    const drawn = updates.find(({ type }) => type === 'image_generated');
    expect(drawn).toMatchObject({ canvas_id: 'c1', image_url: expect.stringMatching(/^\/api\/file\/[\w-]{10}\.png$/) });
    for (const update of updates) if (update !== drawn) expect(update.canvas_id).toBeNull();
    expect(updates.filter(({ type }) => type === 'delta').map(({ text }) => text)).toContain('MARKER-1');

    const name = String(drawn?.image_url).slice('/api/file/'.length);
    const bytes = readFileSync(join(standIn.filesDir, name));
    expect(imageSize(bytes)).toEqual({ width: 192, height: 128 });
    expect(bytes.includes('MARKER-1')).toBe(true);
    const canvas = JSON.parse((await get(standIn, '/api/canvas/c1')).text);
    const [element] = canvas.data.elements;
    expect(canvas.data.files[element.fileId].dataURL).toBe(`/api/file/${name}`);
    expect(canvas.sessions[0]).toMatchObject({ id: 's1', title: 'MARKER-1' });
    const results = updates.filter(({ type }) => type === 'tool_call_result');
    expect(JSON.stringify(results.at(-1))).toContain(`http://localhost:${standIn.port}/api/file/${name}`);
  });

  test('is kept as messages, the last given one and the agent’s', async () => {
    const history = JSON.parse((await get(standIn, '/api/chat_session/s1')).text);
    expect(history[0]).toEqual({ role: 'user', content: 'MARKER-1' });
    expect(history.map(({ role }: { role: string }) => role)).toEqual(
      ['user', ...Array(3).fill(['assistant', 'tool']), 'assistant'].flat(),
    );
  });

  test('that is cancelled ends with one done', async () => {
    using ear = await listen(standIn);
    const answered = post(standIn, '/api/chat', chatBody('c1', 's-cancel', 'wait [[confirm]]'));
    await ear.until((updates) => updates.some(({ type }) => type === 'tool_call_pending_confirmation'));
    expect((await post(standIn, '/api/cancel/s-cancel', '')).text).toBe('{"status":"cancelled"}');
    expect((await answered).text).toBe('{"status":"done"}');
    expect(order(ofSession(ear.updates, 's-cancel')).filter((type) => type === 'done')).toEqual(['done']);
    expect((await post(standIn, '/api/cancel/s-cancel', '')).text).toBe('{"status":"not_found_or_done"}');
  });

  test('that fails says so in an event, with one done, and is 200', async () => {
    using ear = await listen(standIn);
    expect((await post(standIn, '/api/chat', chatBody('c1', 's-fail', 'MARKER [[fail]]'))).status).toBe(200);
    const updates = ofSession(await ear.until(dones('s-fail', 1)), 's-fail');
    expect(order(updates).slice(-2)).toEqual(['error', 'done']);
    expect(String(updates.at(-2)?.error)).toContain('MARKER');
  });

  test('goes on when its client goes away', async () => {
    using ear = await listen(standIn);
    const leave = new AbortController();
    const body = JSON.stringify(chatBody('c1', 's-left', 'go on [[slow]]'));
    const asked = fetch(`${standIn.url}/api/chat`, { method: 'POST', body, signal: leave.signal });
    await ear.until((updates) => ofSession(updates, 's-left').length > 0);
    leave.abort();
    await expect(asked).rejects.toThrow();
    const updates = ofSession(await ear.until(dones('s-left', 2)), 's-left');
    expect(updates.filter(({ type }) => type === 'delta').length).toBeGreaterThan(100);
  });

  test('without a session id goes out under ""', async () => {
    using ear = await listen(standIn);
    expect((await post(standIn, '/api/chat', {})).text).toBe('{"status":"done"}');
    await ear.until(dones('', 1));
    expect(order(ofSession(ear.updates, ''))).toEqual(['error', 'done']);
  });
});

describe('session ids', () => {
  test('a new chat under a taken one is 500', async () => {
    await post(standIn, '/api/chat', chatBody('c1', 's-taken', 'one'));
    expect(await post(standIn, '/api/chat', chatBody('c1', 's-taken', 'two'))).toEqual({
      status: 500,
      text: 'Internal Server Error',
    });
  });

  test('create under a taken one is 200, and the chat silently dies', async () => {
    using ear = await listen(standIn);
    expect((await post(standIn, '/api/canvas/create', chatBody('c-dies', 's-taken', 'three'))).status).toBe(200);
    await post(standIn, '/api/chat', chatBody('c-dies', 's-after', 'later'));
    await ear.until(dones('s-after', 2));
    expect(ofSession(ear.updates, 's-taken')).toEqual([]);
  });

  test('of several messages only the last is stored, under any id', async () => {
    const messages = [
      { role: 'user', content: 'invented' },
      { role: 'user', content: 'appended' },
    ];
    await post(standIn, '/api/chat', { session_id: 's-any', canvas_id: 'c1', messages });
    const history = (await get(standIn, '/api/chat_session/s-any')).text;
    expect(history).toContain('"appended"');
    expect(history).not.toContain('"invented"');
  });

  test('an unknown one has an empty history', async () => {
    expect(await get(standIn, '/api/chat_session/unknown')).toEqual({ status: 200, text: '[]' });
  });
});

describe('confirmation', () => {
  test('goes out under the session of the body, and may be given twice', async () => {
    using ear = await listen(standIn);
    const answered = post(standIn, '/api/chat', chatBody('c1', 's-confirm', 'video [[confirm]]'));
    const pending = (update: Update) => update.type === 'tool_call_pending_confirmation';
    const [asked] = (await ear.until((updates) => updates.some(pending))).filter(pending);
    expect(asked).toMatchObject({ session_id: 's-confirm', name: 'generate_video_by_veo3_fast_jaaz' });
    const answer = { session_id: 'forged', tool_call_id: asked?.id, confirmed: 'yes' };
    for (const _ of [1, 2]) {
      expect((await post(standIn, '/api/tool_confirmation', answer)).text).toBe('{"status":"success"}');
    }
    expect((await answered).status).toBe(200);
    await ear.until(dones('s-confirm', 2));
    const forged = ofSession(ear.updates, 'forged');
    expect(forged.map(({ type, id }) => [type, id])).toEqual(Array(2).fill(['tool_call_confirmed', asked?.id]));
    const calls = ofSession(ear.updates, 's-confirm').filter(({ type }) => type === 'tool_call');
    expect(calls.map(({ name }) => name)).not.toContain('generate_video_by_veo3_fast_jaaz');
  });

  test.each([
    ['an unknown call', '{"session_id":"s","tool_call_id":"none","confirmed":true}', undefined, 500],
    ['a number for an id', '{"session_id":1,"tool_call_id":"none","confirmed":true}', undefined, 422],
    ['a missing key', '{"session_id":"s","confirmed":true}', undefined, 422],
    ['bad JSON', '{', undefined, 422],
    ['a type that is not JSON', '{"session_id":"s","tool_call_id":"none","confirmed":true}', 'text/x', 422],
    ['a kind of JSON', '{"session_id":"s","tool_call_id":"none","confirmed":true}', 'a/b+JSON; x=y', 500],
  ])('%s', async (_name, body, type, status) => {
    const bytes = Buffer.from(body);
    const answer = await postBytes(standIn, '/api/tool_confirmation', { bytes, type });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toHaveProperty('detail');
  });
});

describe('magic', () => {
  test('draws for a data: picture, with one done', async () => {
    using ear = await listen(standIn);
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
    const messages = [{ role: 'user', content: [{ type: 'text', text: 'MAGIC' }, image] }];
    const answer = await post(standIn, '/api/magic', { session_id: 'm1', canvas_id: 'c1', messages });
    expect(answer.text).toBe('{"status":"done"}');
    await ear.until(dones('m1', 1));
    expect(order(ofSession(ear.updates, 'm1'))).toEqual(['image_generated', 'all_messages', 'done']);
    expect((await post(standIn, '/api/magic/cancel/m1', '')).text).toBe('{"status":"not_found_or_done"}');
  });

  test('refuses anything else in an event', async () => {
    using ear = await listen(standIn);
    await post(standIn, '/api/magic', chatBody('c1', 'm2', 'no picture'));
    await ear.until(dones('m2', 1));
    expect(order(ofSession(ear.updates, 'm2'))).toEqual(['error', 'done']);
  });
});
