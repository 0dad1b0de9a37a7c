import { describe, expect, test } from 'vitest';
import { filter, hiddenResponse } from '../../src/filter/filter.ts';
import type { Grant } from '../../src/model/grant.ts';
import type { BodySink, FilteredResponse, UpstreamAnswer } from '../../src/model/response.ts';
import type { RouteMatch } from '../../src/model/route.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';
import { policyFrom } from '../support/stages.ts';

const policy = jaazPolicy();
const found = (method: string, path: string) => policy.match(method, path) as RouteMatch;
const list = found('GET', '/api/canvas/list');
const upload = found('POST', '/api/upload_image');
const modelList = found('GET', '/api/list_models');
const file = found('GET', '/api/file/im_aaaaaaaa.png');

const owners = new Map([
  ['canvas:hers', 'alice'],
  ['canvas:too', 'alice'],
  ['canvas:his', 'bob'],
  ['canvas:default', 'alice'],
  ['canvas:5', 'alice'],
  ['file:im_bbbbbbbb.png', 'bob'],
]);
const learned: string[] = [];
const stage = filter({
  ownersOf: async (refs) => refs.map(({ kind, id }) => owners.get(`${kind}:${id}`)),
  async learn({ ref, origin }, owner) {
    learned.push(`${ref.kind}:${ref.id} ${owner} ${origin}`);
    const other = owners.get(`${ref.kind}:${ref.id}`);
    return other === undefined ? 'learned' : other === owner ? 'known' : 'conflict';
  },
});

/** An answer in chunks, and whether it was given up. */
const answering = (
  chunks: ReadonlyArray<string | Buffer>,
  { status = 200, headers = { 'content-type': 'application/json' } as Record<string, string | string[]> } = {},
) => {
  const state = { aborted: false };
  const body = {
    whole: () => undefined,
    pipe(sink: BodySink) {
      for (const chunk of chunks) {
        if (state.aborted) return sink.fail(new Error('given up'));
        sink.write(Buffer.from(chunk));
      }
      if (!state.aborted) sink.end();
    },
    resume: () => undefined,
    abort: () => {
      state.aborted = true;
    },
  };
  return { state, body, answer: { status, headers, body } satisfies UpstreamAnswer };
};

const grant = (owner: string | undefined = 'alice') => ({ owner }) as unknown as Grant;
const shown = async (match: RouteMatch, text: string, owner?: string) => {
  const result = await stage(answering([text]).answer, grant(owner), match);
  return (result.body as Buffer).toString();
};
const header = ({ headers }: FilteredResponse, name: string): string | undefined => {
  const index = headers.findIndex((text, at) => at % 2 === 0 && text === name);
  return index < 0 ? undefined : headers[index + 1];
};

describe('a list', () => {
  test('shows the caller’s own rows, in their order, as the upstream wrote them', async () => {
    const rows = '[{"id":"his","n":1},{"id":"too","n":1.0},{"id":"hers","n":12345678901234567890,"x":null}]';
    expect(await shown(list, rows)).toBe('[{"id":"too","n":1.0},{"id":"hers","n":12345678901234567890,"x":null}]');
    expect(await shown(list, rows, 'bob')).toBe('[{"id":"his","n":1}]');
    expect(await shown(list, rows, 'carol')).toBe('[]');
  });

  test.each([
    ['null', '{"id":null}'],
    ['nothing', '{}'],
    ['an empty text', '{"id":""}'],
    ['a number', '{"id":5}'],
    ['a number kept verbatim', '{"id":5.0}'],
    ['true', '{"id":true}'],
    ['a list', '{"id":["hers"]}'],
    ['an object', '{"id":{"id":"hers"}}'],
    ['the reserved row', '{"id":"default"}'],
    ['a form that no id has', '{"id":"hers\\n"}'],
    ['under __proto__', '{"__proto__":{"id":"hers"}}'],
  ])('drops a row whose id is %s', async (_name, row) => {
    expect(await shown(list, `[${row},{"id":"hers"}]`)).toBe('[{"id":"hers"}]');
  });

  test.each([
    ['an object', '{"data":[{"id":"hers"}]}'],
    ['null', 'null'],
    ['a text', '"x"'],
    ['nothing', ''],
    ['broken', '[{"id":"hers"}'],
    ['not UTF-8', Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d])],
    ['with a byte order mark', '\ufeff[]'],
    ['NaN', '[NaN]'],
    ['of a row that is null', '[{"id":"hers"},null]'],
    ['of a row that is a text', '["hers",{"id":"hers"}]'],
    ['of a row that is a list', '[{"id":"hers"},[{"id":"hers"}]]'],
  ])('that is %s is refused, and nothing is shown', async (_name, text) => {
    expect(await refusalOf(() => stage(answering([text]).answer, grant(), list))).toBe('answer-unreadable 502');
  });

  test('that is refused says nothing of it, but the reason', async () => {
    const refused = await Promise.resolve(stage(answering(['{"id":"his"}']).answer, grant(), list)).catch(
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ reason: 'answer-unreadable', status: 502 });
    expect(String(refused)).not.toContain('his');
  });

  test('for nobody is refused rather than shown whole', async () => {
    expect(
      await refusalOf(() =>
        stage(answering(['[{"id":"hers"}]']).answer, { owner: undefined } as unknown as Grant, list),
      ),
    ).toBe('answer-unreadable 502');
  });

  test('in the middle of a larger answer: each list on its way', async () => {
    const deep = policyFrom(`{ version: 1, name: p, resources: { canvas: { id: '[a-z]{1,9}' } }, routes: [
      { id: a, match: GET /a, filter: { keep: [{ resource: canvas, each: 'g[*].rows[*]', id: ref.id }], max: 1KiB } }] }`);
    const match = deep.match('GET', '/a') as RouteMatch;
    const text = '{"g":[{"rows":[{"ref":{"id":"his"}},{"ref":{"id":"hers"}}]},{"rows":[]},{"other":1}]}';
    expect(await shown(match, text)).toBe('{"g":[{"rows":[{"ref":{"id":"hers"}}]},{"rows":[]},{"other":1}]}');
    expect(await shown(match, '{"g":[]}')).toBe('{"g":[]}');
    expect(await refusalOf(() => shown(match, '{"g":[{"rows":{"id":"his"}}]}'))).toBe('answer-unreadable 502');
  });
});

describe('an answer of another kind', () => {
  test.each([400, 404, 422, 500, 503])('with %i on a route that reads: the status, not a byte', async (status) => {
    const { state, answer } = answering(['[{"id":"his","secret":1}]'], { status });
    const result = await stage(answer, grant(), list);
    expect(result).toMatchObject({ status, body: undefined });
    expect(header(result, 'content-type')).toBeUndefined();
    expect(state.aborted).toBe(true);
  });

  test.each([201, 204, 206, 304])('with %i on a route that reads is refused', async (status) => {
    const { state, answer } = answering(['[]'], { status });
    expect(await refusalOf(() => stage(answer, grant(), list))).toBe('answer-unreadable 502');
    expect(state.aborted).toBe(true);
  });

  test.each([300, 301, 302, 303, 307, 308])('that redirects with %i is refused on every route', async (status) => {
    for (const match of [list, file]) {
      const headers = { location: 'http://localhost:57988/api/config' };
      const { state, answer } = answering([''], { status, headers });
      expect(await refusalOf(() => stage(answer, grant(), match))).toBe('answer-unreadable 502');
      expect(state.aborted).toBe(true);
    }
  });

  test.each([
    ['text/html'],
    ['application/jsonp'],
    ['application/problem+json'],
    ['text/plain; x=application/json'],
    [undefined],
  ])('of the type %s is refused where JSON is read', async (type) => {
    const { state, answer } = answering(['[]'], { headers: type === undefined ? {} : { 'content-type': type } });
    expect(await refusalOf(() => stage(answer, grant(), list))).toBe('answer-unreadable 502');
    expect(state.aborted).toBe(true);
  });

  test.each(['application/json; charset=utf-8', 'Application/JSON'])('of the type %s is read', async (type) => {
    const { answer } = answering(['[]'], { headers: { 'content-type': type } });
    expect((await stage(answer, grant(), list)).status).toBe(200);
  });

  test('too large is refused, and its connection given up', async () => {
    const { state, answer } = answering(Array.from({ length: 70 }, () => Buffer.alloc(1024)));
    expect(await refusalOf(() => stage(answer, grant(), upload))).toBe('answer-too-large 502');
    expect(state.aborted).toBe(true);
  });
});

describe('learning', () => {
  const answerOf = (id: unknown) =>
    JSON.stringify({ file_id: id, url: `http://localhost:57988/api/file/${String(id)}`, width: 1 });

  test('makes the server’s id the caller’s before it is shown, its address relative', async () => {
    learned.length = 0;
    expect(await shown(upload, answerOf('im_cccccccc.png'))).toBe(
      '{"file_id":"im_cccccccc.png","url":"/api/file/im_cccccccc.png","width":1}',
    );
    expect(learned).toEqual(['file:im_cccccccc.png alice response']);
  });

  test('of what is another’s shows nothing', async () => {
    expect(await refusalOf(() => shown(upload, answerOf('im_bbbbbbbb.png')))).toBe('learn-conflict 502');
  });

  test.each([[undefined], [null], [5], [''], ['../x.png'], ['im_cccccccc'], [['im_cccccccc.png']]])(
    'of %j shows nothing',
    async (id) => {
      learned.length = 0;
      expect(await refusalOf(() => shown(upload, answerOf(id)))).toBe('answer-unreadable 502');
      expect(learned).toEqual([]);
    },
  );
});

test('fields of the upstream’s own business are dropped', async () => {
  expect(await shown(modelList, '[{"provider":"p","url":"http://inner","url2":1},{"url":null},5]')).toBe(
    '[{"provider":"p","url2":1},{},5]',
  );
});

describe('a route without a rule', () => {
  test('passes the body itself, whatever its status', async () => {
    for (const status of [200, 206, 304, 404, 416, 500]) {
      const { answer, body, state } = answering(['x'], {
        status,
        headers: { etag: '"a"', 'content-range': 'bytes 0-1/2' },
      });
      const result = await stage(answer, grant(), file);
      expect(result).toMatchObject({ status, body });
      expect(header(result, 'etag')).toBe('"a"');
      expect(header(result, 'content-range')).toBe('bytes 0-1/2');
      expect(state.aborted).toBe(false);
    }
  });
});

describe('hiddenResponse', () => {
  test.each([
    ['GET', '/api/canvas/x', 200, 'null'],
    ['GET', '/api/chat_session/x', 200, '[]'],
    ['GET', '/api/file/im_aaaaaaaa.png', 404, '{"detail":"File not found"}'],
    ['POST', '/api/cancel/x', 200, '{"status":"not_found_or_done"}'],
  ])('%s %s looks as the server’s own answer for what is missing', (method, path, status, text) => {
    const hidden = hiddenResponse(found(method, path)) as FilteredResponse;
    expect([hidden.status, (hidden.body as Buffer).toString()]).toEqual([status, text]);
    expect(header(hidden, 'content-length')).toBe(String(text.length));
    expect(header(hidden, 'cache-control')).toContain('private');
  });

  test('is not there where the policy has none', () => {
    expect(hiddenResponse(found('POST', '/api/canvas/x/save'))).toBeUndefined();
  });
});
