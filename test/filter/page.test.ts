import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filter } from '../../src/filter/filter.ts';
import { MAX_PAGE_BYTES, withScript } from '../../src/filter/page.ts';
import type { Grant } from '../../src/model/grant.ts';
import type { BodySink, UpstreamAnswer } from '../../src/model/response.ts';
import type { RouteMatch } from '../../src/model/route.ts';
import { refusalOf } from '../support/bodies.ts';
import { arrive, policyFrom } from '../support/stages.ts';

const TAG = '<script src="/auth/session.js"></script>';
const put = (page: string): string => withScript(Buffer.from(page), '/auth/session.js').toString();

describe('the script stands before everything that could run', () => {
  test.each([
    [
      '<!doctype html><html><head><script>a</script></head>',
      '<!doctype html><html><head>',
      '<script>a</script></head>',
    ],
    ['<HTML lang="en"><HEAD class=x>\n<meta>', '<HTML lang="en"><HEAD class=x>', '\n<meta>'],
    ['<head data-x="a>b" y=\'c>d\'><title>', '<head data-x="a>b" y=\'c>d\'>', '<title>'],
    ['<!-- <head> --><head><link>', '<!-- <head> --><head>', '<link>'],
    ['<!--><head><link>', '<!--><head>', '<link>'],
    ['<?xml version="1.0"?><!DOCTYPE html>\n<html><head/>', '<?xml version="1.0"?><!DOCTYPE html>\n<html><head/>', ''],
    ['<html><script>a</script>', '<html>', '<script>a</script>'],
    ['<!doctype html><title>t</title><script>', '<!doctype html>', '<title>t</title><script>'],
    ['<html><body onload="a()"><p>', '<html><body onload="a()">', '<p>'],
    ['<header><head>', '', '<header><head>'],
    ['<p>é✓</p>', '', '<p>é✓</p>'],
  ])('%s', (page, before, after) => {
    expect(put(page)).toBe(`${before}${TAG}${after}`);
  });
});

describe('a page stays as it is', () => {
  test.each([
    ['without a tag', 'just text & a < b'],
    ['of nothing', ''],
    ['with a comment that does not end', '<!-- <head><script>a</script>'],
    ['with a comment that readers end differently', '<!-- a --!><head><!-- b --><script>c</script>'],
    ['with a tag that does not end', '<head data-x="'],
    ['with a tag whose name does not end', `<${'a'.repeat(200_000)}`],
    ['with a tag whose attributes do not end', `<a ${'"x" '.repeat(250_000)}`],
    ['with an end before a beginning', '</head><script>a</script>'],
    ['with a doctype that does not end', '<!doctype html'],
  ])('%s', (_what, page) => {
    expect(put(page)).toBe(page);
  });

  test('of another alphabet, byte by byte', () => {
    const latin1 = Buffer.from('<html><head><title>caf\xe9</title>', 'latin1');
    expect(withScript(latin1, '/s')).toEqual(latin1);
    const utf16 = Buffer.from('<html><head>', 'utf16le');
    expect(withScript(utf16, '/s')).toEqual(utf16);
  });
});

test('whatever the page is, nothing of it is lost and nothing but the script is added', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '"',
    "'",
    '<!--',
    '-->',
    '--!>',
    '<html>',
    '<head',
    '<head>',
    '<script>',
    'é',
    '/',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const page = pieces.join('');
      const changed = put(page);
      expect(changed.replace(TAG, '')).toBe(page);
      expect(changed.length - page.length === TAG.length || changed === page).toBe(true);
    }),
  );
});

test('a page that is made to be slow to read is not', () => {
  const started = performance.now();
  for (const piece of ['<!--', '<html ', '<html>', '<html "', '<!', '<']) put(piece.repeat(200_000));
  expect(performance.now() - started).toBeLessThan(2_000);
});

const policy = policyFrom(`version: 1
name: p
routes:
  - { id: page, match: GET /, access: page }
  - { id: open, match: GET /open, access: public }
`);
const found = (path: string) => policy.match('GET', path) as RouteMatch;
const stage = (pageScript: string | undefined) =>
  filter({ ownersOf: async () => [], learn: async () => 'known', pageScript });
const answering = (text: string | Buffer, headers: Record<string, string> = {}, status = 200) => {
  const state = { aborted: false };
  const body = {
    whole: () => undefined,
    pipe(sink: BodySink) {
      sink.write(Buffer.from(text));
      if (!state.aborted) sink.end();
    },
    resume: () => undefined,
    abort: () => {
      state.aborted = true;
    },
  };
  const answer: UpstreamAnswer = { status, headers: { 'content-type': 'text/html', ...headers }, body };
  return { state, answer };
};
const grant = {} as unknown as Grant;
const PAGE = '<html><head></head>';

describe('the answer of a page', () => {
  const shown = async (headers: Record<string, string> = {}, path = '/') => {
    const { answer } = answering(PAGE, headers);
    const { body, headers: told } = await stage('/auth/session.js')(answer, grant, found(path));
    return { text: Buffer.isBuffer(body) ? body.toString() : undefined, told: told.join('\n') };
  };

  test('is as long as it is now, and has no validators of what it was', async () => {
    const { text, told } = await shown({
      'content-length': '19',
      etag: '"e"',
      'last-modified': 'x',
      'accept-ranges': 'y',
    });
    expect(text).toBe(`<html><head>${TAG}</head>`);
    expect(told).toContain(`content-length\n${text?.length}`);
    expect(told).not.toMatch(/etag|last-modified|accept-ranges|content-length\n19/);
    expect(told).toContain('cache-control\nprivate, no-store');
  });

  test.each(['text/html; charset=utf-8', 'Text/HTML;charset="UTF-8"', 'text/html ; charset=utf-8 ;'])(
    'may be %s',
    async (type) => {
      expect((await shown({ 'content-type': type })).text).toContain(TAG);
    },
  );

  test.each([
    ['of another type', { 'content-type': 'application/json' }],
    ['of another alphabet', { 'content-type': 'text/html; charset=iso-8859-1' }],
    ['that is compressed all the same', { 'content-encoding': 'gzip' }],
  ])('%s streams untouched', async (_what, headers) => {
    expect((await shown(headers)).text).toBeUndefined();
  });

  test('of a route that is no page, or without a script, streams untouched', async () => {
    expect((await shown({}, '/open')).text).toBeUndefined();
    const { answer } = answering(PAGE);
    expect((await stage(undefined)(answer, grant, found('/'))).body).toBe(answer.body);
  });

  test.each([404, 500, 206])('of status %i streams untouched', async (status) => {
    const { answer } = answering(PAGE, {}, status);
    const { body } = await stage('/s')(answer, grant, found('/'));
    expect(body).toBe(answer.body);
  });

  test('that is larger than any page is refused, and given up', async () => {
    const fits = answering(Buffer.alloc(MAX_PAGE_BYTES, ' '));
    expect(await refusalOf(() => stage('/s')(fits.answer, grant, found('/')))).toBe('accepted');
    const { state, answer } = answering(Buffer.alloc(MAX_PAGE_BYTES + 1, ' '));
    expect(await refusalOf(() => stage('/s')(answer, grant, found('/')))).toBe('answer-too-large 502');
    expect(state.aborted).toBe(true);
  });
});

test('the server is asked for the whole page, and not whether an earlier one is still good', async () => {
  const { rewrite } = await import('../../src/rewrite/rewrite.ts');
  const never = () => Promise.reject(new Error('there is no body'));
  const stageOf = rewrite({
    catalogue: never,
    writeJson: never,
    writeMultipart: () => ({ contentType: '', body: [] }),
  });
  const asked = ['If-None-Match', '"e"', 'If-Modified-Since', 'x', 'Range', 'bytes=0-1', 'Accept-Encoding', 'gzip'];
  const named = async (target: string) => {
    const { request, match } = await arrive(policy, {
      method: 'GET',
      target,
      headers: [...asked, 'Accept', 'text/html'],
    });
    const outbound = await stageOf({ request } as unknown as Grant, match, undefined);
    return outbound.headers.filter((_, index) => index % 2 === 0);
  };
  expect(await named('/')).toEqual(['x-request-id', 'accept']);
  expect(await named('/open')).toContain('if-none-match');
});
