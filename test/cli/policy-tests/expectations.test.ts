import { describe, expect, test } from 'vitest';
import { eventFailures, plain, requestFailures } from '../../../src/cli/policy-tests/expectations.ts';
import type { EventOutcome, RequestOutcome } from '../../../src/cli/policy-tests/outcome.ts';
import type { TestFile } from '../../../src/policy/test-document.ts';

const found: RequestOutcome = {
  decision: 'allowed',
  route: 'canvas.create',
  forwarded: { target: 'POST /x', headers: { a: '1' }, json: { b: 1, a: [1, 2] } },
  shown: { status: 200, headers: { c: '2' }, text: 'fine' },
  claims: ['canvas:a'],
  releases: [],
  learned: [],
  would: [],
};

describe('a request is as it was expected', () => {
  test.each<[Parameters<typeof requestFailures>[0]]>([
    [{}],
    [{ decision: 'allowed', route: 'canvas.create', claims: ['canvas:a'], releases: [] }],
    [{ forwarded: { target: 'POST /x', headers: { a: '1', z: null }, body: { a: [1, 2], b: 1 } } }],
    [{ shown: { status: 200, text: 'fine', headers: { c: '2' } } }],
  ])('%j', (expected) => {
    expect(requestFailures(expected, found)).toEqual([]);
  });
});

describe('a request is not as it was expected, and it is told how', () => {
  test.each<[Parameters<typeof requestFailures>[0], string]>([
    [{ decision: 'route-denied' }, 'decision: expected "route-denied", found "allowed"'],
    [{ claims: [] }, 'claims: - expected, + found'],
    [{ forwarded: null }, 'forwarded: - expected, + found'],
    [{ forwarded: { target: 'GET /x' } }, 'forwarded.target: expected "GET /x", found "POST /x"'],
    [{ forwarded: { headers: { a: null } } }, 'forwarded.headers.a: expected null, found "1"'],
    [{ forwarded: { headers: { z: '1' } } }, 'forwarded.headers.z: expected "1", found null'],
    [{ forwarded: { body: { b: 1 } } }, 'forwarded.json: - expected, + found'],
    [{ forwarded: { text: 'x' } }, 'forwarded.text: expected "x", found null'],
    [{ shown: { json: {} } }, 'shown.json: expected {}, found null'],
    [{ shown: { status: 404 } }, 'shown.status: expected 404, found 200'],
    [{ would: ['deny token-missing'] }, 'would: - expected, + found'],
  ])('%j', (expected, failure) => {
    expect(requestFailures(expected, found)[0]).toBe(failure);
  });

  test('when nothing was forwarded at all', () => {
    const refused = { ...found, decision: 'route-denied', forwarded: null };
    expect(requestFailures({ forwarded: { target: 'GET /x' } }, refused)).toEqual([
      'forwarded: expected, but nothing was: route-denied',
    ]);
  });
});

describe('an event', () => {
  const heard: EventOutcome = {
    heard: ['users|alice'],
    payload: { a: 1 },
    dropped: null,
    learned: ['file:a'],
    ended: [],
    pending: ['c1'],
    settled: [],
    stopped: null,
    cancelled: [],
  };
  const file = {
    principals: { alice: { roles: [] }, bob: { roles: [], issuer: 'b', user: 'B' } },
  } as unknown as TestFile;

  test.each<[Parameters<typeof eventFailures>[0], number]>([
    [{ heard: ['alice'], payload: { a: 1 }, dropped: null, learned: ['file:a'], ended: [] }, 0],
    [{ pending: ['c1'], settled: [] }, 0],
    [{ pending: [] }, 1],
    [{ settled: ['c1'] }, 1],
    [{ stopped: null, cancelled: [] }, 0],
    [{ stopped: 'foreign-file-opened' }, 1],
    [{ cancelled: ['POST /x'] }, 1],
    [{ heard: ['bob'] }, 2],
    [{ heard: [] }, 2],
    [{ dropped: 'unknown-owner' }, 1],
    [{ learned: [] }, 2],
    [{ payload: { a: 2 } }, 2],
  ])('%j', (expected, least) => {
    const failures = eventFailures(expected, heard, file);
    if (least === 0) expect(failures).toEqual([]);
    else expect(failures.length).toBeGreaterThanOrEqual(least);
  });
});

test('the order of keys says nothing, that of a list does', () => {
  expect(plain({ b: 1, a: { d: 1, c: 2 } })).toBe(plain({ a: { c: 2, d: 1 }, b: 1 }));
  expect(plain([1, 2])).not.toBe(plain([2, 1]));
});
