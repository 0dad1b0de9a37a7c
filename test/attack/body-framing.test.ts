/** Where a body ends for one party and not for the next, the rest becomes a request of its own. */
import { describe, expect, test } from 'vitest';
import { read } from '../../src/body/read.ts';
import { canonical } from '../../src/server/canonical.ts';
import { arriving, post, refusalOf, routeTaking } from '../support/bodies.ts';
import { hostileFraming } from '../support/hostile.ts';

const canonicalize = canonical({ hosts: undefined, trustedProxies: [] });
const readRequest = read();
const json = ['Content-Type', 'application/json'] as const;

test.each(hostileFraming)('refuses $why', async ({ headers, reason }) => {
  for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
    const raw = { method, target: '/', rawHeaders: ['Host', 'x', ...headers], remoteAddress: '127.0.0.1' };
    expect(await refusalOf(() => canonicalize(raw))).toBe(`${reason} ${reason === 'header-invalid' ? 400 : 417}`);
  }
});

describe('a body', () => {
  const none = routeTaking({ kind: 'none' });
  const some = routeTaking({ kind: 'json', maxBytes: 100 });

  test('where none is expected is refused, on every method', async () => {
    for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST']) {
      for (const headers of [
        ['Content-Length', '1'],
        ['Transfer-Encoding', 'chunked'],
      ]) {
        const raw = { method, target: '/', rawHeaders: ['Host', 'x', ...headers], remoteAddress: '127.0.0.1' };
        expect(await refusalOf(() => readRequest(canonicalize(raw), none, arriving('x')))).toBe('body-unexpected 400');
      }
    }
  });

  test('shorter or longer than announced is refused', async () => {
    const announced = post(...json, 'Content-Length', '10');
    expect(await refusalOf(() => readRequest(announced, some, arriving('{}')))).toBe('body-incomplete 400');
    expect(await refusalOf(() => readRequest(announced, some, arriving('{}', ' '.repeat(20))))).toBe(
      'body-incomplete 400',
    );
  });

  test('that is larger than allowed is refused, announced or not', async () => {
    const announced = post(...json, 'Content-Length', '101');
    const chunked = post(...json, 'Transfer-Encoding', 'chunked');
    expect(await refusalOf(() => readRequest(announced, some, arriving('{}')))).toBe('body-too-large 413');
    expect(await refusalOf(() => readRequest(chunked, some, arriving('{}', ' '.repeat(99))))).toBe(
      'body-too-large 413',
    );
  });

  test('that is compressed is refused: only one party would unpack it', async () => {
    const packed = post(...json, 'Transfer-Encoding', 'chunked', 'Content-Encoding', 'gzip');
    expect(await refusalOf(() => readRequest(packed, some, arriving('{}')))).toBe('body-encoding 415');
  });
});
