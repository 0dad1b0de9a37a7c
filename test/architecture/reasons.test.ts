/** The table of refusals: each row is used, and each refusal is a row. */
import { describe, expect, test } from 'vitest';
import { reasons } from '../../src/model/reason.ts';
import { obey } from './laws.ts';
import { sourcesBelow } from './tree.ts';

const TABLE = 'src/model/reason.ts';

const quoted = new Set(
  sourcesBelow('src')
    .filter(({ path }) => path !== TABLE)
    .flatMap(({ tokens }) => tokens.filter(({ kind }) => kind === 'string').map(({ text }) => text.slice(1, -1))),
);

const rows = Object.entries(reasons).map(([code, reason]) => {
  const text = sourcesBelow('src').find(({ path }) => path === TABLE)?.text ?? '';
  return { code, reason, line: text.slice(0, text.indexOf(`'${code}'`)).split('\n').length };
});

describe('reasons', () => {
  test('every reason code is refused with somewhere in src', () => {
    obey(
      'reasons',
      rows
        .filter(({ code }) => !quoted.has(code))
        .map(({ code, line }) => ({ path: TABLE, line, what: `nothing refuses with ${code}` })),
    );
  });

  test.each(rows)(
    '$code is kebab-case, has an error status, and tells one plain sentence or two',
    ({ code, reason }) => {
      expect(code).toMatch(/^[a-z]+(-[a-z]+)+$/);
      // One is no error to a browser: it is sent to log in.
      expect(reason.status).toBeGreaterThanOrEqual(code === 'login-needed' ? 303 : 400);
      expect(reason.status).toBeLessThan(600);
      expect(reason.message).toMatch(/^[A-Z][^\n{}<>]+\.$/);
    },
  );
});
