import { describe, expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import type { ResourceKind } from '../../src/model/resource.ts';
import { origin } from '../../src/upstream/forward.ts';
import type { SmallAnswer } from '../../src/upstream/origin.ts';
import { probe } from '../../src/upstream/probe.ts';
import { answer, bareUpstream, nowhere } from '../support/bare-upstream.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';
import { policyFrom } from '../support/stages.ts';

const kinds = jaazPolicy().resources;
const canvas = kinds.get('canvas') as ResourceKind;
const answering = (status: number, text: string, whole = true) => ({
  asked: [] as string[],
  async read(target: string): Promise<SmallAnswer> {
    this.asked.push(target);
    return { status, headers: {}, body: Buffer.from(text), whole };
  },
});

describe('an id', () => {
  test.each([
    ['null', 200, 'null', false],
    ['a canvas', 200, '{"data":{}}', true],
    ['something else', 200, '[]', true],
    ['nothing at all', 200, '', true],
    ['null with a blank', 200, 'null ', true],
  ])('of which the upstream says %s', async (_name, status, text, expected) => {
    const upstream = answering(status, text);
    expect(await probe(upstream)(canvas, 'abc')).toBe(expected);
    expect(upstream.asked).toEqual(['/api/canvas/abc']);
  });

  test('of which it says more than absent ever takes exists', async () => {
    expect(await probe(answering(200, 'null', false))(canvas, 'abc')).toBe(true);
  });

  test.each([404, 422, 500, 302, 204])('of which it says %i is not known', async (status) => {
    expect(await refusalOf(() => probe(answering(status, 'null'))(canvas, 'abc'))).toBe('probe-failed 502');
  });

  test('of a kind without a probe is taken for new', async () => {
    const upstream = answering(500, '');
    expect(await probe(upstream)(kinds.get('file') as ResourceKind, 'im_aaaaaaaa.png')).toBe(false);
    expect(upstream.asked).toEqual([]);
  });

  test('may be absent by a status', async () => {
    const text = `{ version: 1, name: p, routes: [{ id: a, match: GET /a }],
      resources: { doc: { id: '.{1,20}', probe: { get: '/d/{doc}/x', absent: { status: 404 } } } } }`;
    const doc = policyFrom(text).resources.get('doc') as ResourceKind;
    const upstream = answering(404, 'whatever');
    expect(await probe(upstream)(doc, 'a')).toBe(false);
    expect(await probe(answering(200, 'null'))(doc, 'a')).toBe(true);
    // A grammar that allows more than a segment may hold does not let an id leave its segment.
    await probe(upstream)(doc, '../secret?a#b');
    expect(upstream.asked).toEqual(['/d/a/x', '/d/..%2Fsecret%3Fa%23b/x']);
  });
});

describe('with a real upstream', () => {
  test('a large answer is not read to its end', async () => {
    await using upstream = await bareUpstream(({ socket }) =>
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n${'x'.repeat(100_000)}`),
    );
    const one = origin({ url: upstream.url });
    expect(await probe(one)(canvas, 'abc')).toBe(true);
    await one.close();
  });

  test('one that breaks off in the middle is no answer', async () => {
    await using upstream = await bareUpstream(({ socket }) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\nnull'),
    );
    const one = origin({ url: upstream.url });
    expect(await refusalOf(() => probe(one)(canvas, 'abc'))).toBe('probe-failed 502');
    await one.close();
  });

  test('one that is not there says so', async () => {
    const one = origin({ url: await nowhere() });
    expect(await refusalOf(() => probe(one)(canvas, 'abc'))).toBe('upstream-unreachable 502');
    await one.close();
  });

  test('a plain null means absent', async () => {
    await using upstream = await bareUpstream(({ socket }) => socket.write(answer(200, 'null')));
    const one = origin({ url: upstream.url });
    expect(await probe(one)(canvas, 'abc')).toBe(false);
    await one.close();
  });
});

test('a refusal of the origin is passed on as it is', async () => {
  const read = () => Promise.reject(new Rejection('upstream-timeout', 'x'));
  expect(await refusalOf(() => probe({ read })(canvas, 'abc'))).toBe('upstream-timeout 504');
});
