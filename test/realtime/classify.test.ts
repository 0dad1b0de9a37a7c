import { describe, expect, test } from 'vitest';
import { classify } from '../../src/realtime/classify.ts';
import { eventRules, sessionUpdate, update } from '../support/session-events.ts';

const judge = classify(eventRules);

describe('an event is delivered', () => {
  test('to the owner of the session that it names', () => {
    expect(judge(update('s1', 'delta', { text: 'hi' }))).toEqual({
      kind: 'deliver',
      rule: sessionUpdate,
      type: 'delta',
      typeRule: sessionUpdate.types.get('delta'),
      owner: { kind: 'session', id: 's1' },
      agree: [],
      learn: [],
    });
  });

  test('and its canvas must agree where it names one', () => {
    expect(judge(update('s1', 'delta', { canvas_id: 'c1' }))).toMatchObject({ agree: [{ kind: 'canvas', id: 'c1' }] });
    expect(judge(update('s1', 'delta', { canvas_id: '' }))).toMatchObject({ agree: [] });
  });

  test.each([
    ['a relative URL', { file: { dataURL: '/api/file/im_abcdefgh.png' } }],
    ['an absolute URL of the upstream', { image_url: 'http://localhost:57988/api/file/im_abcdefgh.png' }],
    ['an absolute URL by address', { image_url: 'http://127.0.0.1:57988/api/file/im_abcdefgh.png' }],
    ['an id', { image_url: 'im_abcdefgh.png' }],
    ['the same twice', { file: { dataURL: '/api/file/im_abcdefgh.png' }, image_url: '/api/file/im_abcdefgh.png' }],
  ])('and a file is learned once from %s', (_, more) => {
    expect(judge(update('s1', 'image_generated', more))).toMatchObject({
      learn: [{ kind: 'file', id: 'im_abcdefgh.png' }],
    });
  });

  test.each([
    ['another server', 'https://cdn.example/api/file/im_abcdefgh.png'],
    ['an inline image', 'data:image/png;base64,iVBORw0KGgo='],
    ['a way out of the folder', '/api/file/../config'],
    ['a name below the name', '/api/file/x/im_abcdefgh.png'],
    ['a query', '/api/file/im_abcdefgh.png?x=1'],
    ['a line feed', '/api/file/im_abcdefgh.png\n'],
    ['a number', 7],
    ['null', null],
    ['a list', ['/api/file/im_abcdefgh.png']],
  ])('and nothing is learned from %s', (_, image_url) => {
    expect(judge(update('s1', 'image_generated', { image_url }))).toMatchObject({ kind: 'deliver', learn: [] });
  });

  test('and nothing is learned from a type that the server does not make alone', () => {
    expect(judge(update('s1', 'delta', { image_url: '/api/file/im_abcdefgh.png' }))).toMatchObject({ learn: [] });
  });
});

describe('a call', () => {
  const asked = (id: unknown) => judge(update('s1', 'tool_call_pending_confirmation', { id }));

  test('waits, or waits no longer, by the id that the event names', () => {
    expect(asked('call_1')).toMatchObject({ kind: 'deliver', pending: 'call_1', settled: undefined });
    const settled = judge(update('s1', 'tool_call_confirmed', { id: 'call_1' }));
    expect(settled).toMatchObject({ kind: 'deliver', pending: undefined, settled: 'call_1' });
  });

  test('has whatever id its provider made, as it stands there', () => {
    for (const id of ['0', ' call ', 'é\u0301', 'x'.repeat(256)]) expect(asked(id)).toMatchObject({ pending: id });
  });

  test.each([undefined, null, '', 7, ['call_1'], 'x'.repeat(257)])('is none by %j, and the event is heard', (id) => {
    expect(asked(id)).toMatchObject({ kind: 'deliver', pending: undefined });
  });

  test('is none in an event of another type', () => {
    expect(judge(update('s1', 'delta', { id: 'call_1' }))).toMatchObject({ pending: undefined, settled: undefined });
  });
});

describe('an event is dropped', () => {
  const because = (event: Parameters<typeof judge>[0]) => {
    const found = judge(event);
    return found.kind === 'drop' ? found.because : 'delivered';
  };

  test.each(['connected', 'init_done', 'SESSION_UPDATE', '__proto__', 'constructor', ''])('when it is %j', (name) => {
    expect(because({ name, payload: { session_id: 's1', type: 'delta' } })).toBe('unlisted-event');
  });

  test.each(['brand_new', '__proto__', ''])('when its type is %j', (type) => {
    expect(because(update('s1', type))).toBe('unlisted-type');
  });

  test.each([undefined, null, 7, ['delta']])('when its type is no text but %j', (type) => {
    expect(because({ name: 'session_update', payload: JSON.parse(JSON.stringify({ session_id: 's1', type })) })).toBe(
      'malformed',
    );
  });

  test.each([undefined, null, ''])('when its session is %j', (id) => {
    expect(
      because({ name: 'session_update', payload: JSON.parse(JSON.stringify({ session_id: id, type: 'delta' })) }),
    ).toBe('no-resource');
  });

  test.each([7, true, ['s1'], { id: 's1' }, 's 1', 's1\n', 'x'.repeat(65), 'é'])('when its session is %j', (id) => {
    expect(because(update(id, 'delta'))).toBe('malformed');
  });

  test.each([7, false, ['c1'], 'c/1', 'default'])('when its canvas is %j', (canvas_id) => {
    expect(because(update('s1', 'delta', { canvas_id }))).toBe('malformed');
  });
});

test('a drop says the type, so that it can be told which', () => {
  expect(judge(update('s1', 'brand_new'))).toEqual({ kind: 'drop', because: 'unlisted-type', type: 'brand_new' });
  expect(judge(update('', 'delta'))).toEqual({ kind: 'drop', because: 'no-resource', type: 'delta' });
  expect(judge({ name: 'other', payload: {} })).toEqual({ kind: 'drop', because: 'unlisted-event', type: undefined });
});
