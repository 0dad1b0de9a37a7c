import { describe, expect, test } from 'vitest';
import { userFolder } from '../../src/rewrite/scope-path.ts';
import { faultsOf, policyFrom, principalOf } from '../support/stages.ts';

const HEAD = `version: 1
name: p
`;
const policyText = (route: string, more = ''): string => `${HEAD}${more}routes:\n  - { id: r, ${route} }\n`;
/** The faults without their places. */
const faults = (route: string, more?: string): string[] =>
  faultsOf(policyText(route, more)).map((fault) => fault.replace(/^p\.yaml:\d+:\d+: /, ''));

const POST = 'match: POST /f, body: { json: 1KiB }';
const ANSWER = 'filter: { user-paths: { path: path }, max: 1KiB }';
const SCOPED = 'rewrite: [{ scope-path: { field: path, root: /srv/w } }]';

describe('a route with paths of the user’s', () => {
  test('loads, and confines what is in the body and in the query', async () => {
    const steps =
      '{ scope-path: { field: path, root: /srv/w } }, { scope-path: { query: q, as: folder, root: /srv/w } }';
    const [route] = policyFrom(policyText(`${POST}, query: [q], rewrite: [${steps}], ${ANSWER}`)).routes;
    const principal = principalOf('alice');
    const folder = `/srv/w/${userFolder('test|alice')}`;
    expect(route?.queryOperations.get('q')?.('', principal)).toBe(folder);
    const body = { path: 'a' };
    const context = { principal, canonical: undefined, catalogue: async () => [] };
    for (const operation of route?.operations ?? []) await operation(body, context as never);
    expect(body).toEqual({ path: `${folder}/a` });
    if (route?.answer.kind !== 'json') throw new Error('the answer is not read');
    const [shown] = route.answer.operations.map((operation) =>
      operation({ path: `${folder}/a` }, 'test|alice', principal),
    );
    expect(shown).toEqual({ path: 'a' });
  });

  test('that stand in the query alone needs no body', () => {
    const route = `match: GET /f, query: [q], rewrite: [{ scope-path: { query: q, root: /srv/w } }], ${ANSWER}`;
    expect(faults(route)).toEqual([]);
  });
});

describe('a fault is', () => {
  test.each([
    [
      'a path in the body of a route that takes none',
      `match: POST /f, ${SCOPED}, ${ANSWER}`,
      'only a JSON body can be rewritten (expected body: { json: SIZE })',
    ],
    [
      'an answer that passes as it is',
      `${POST}, ${SCOPED}`,
      'the answer would name paths of the server’s host (expected filter: { user-paths: { FIELD: path }, max: SIZE })',
    ],
    [
      'an answer of paths without a bound',
      `${POST}, ${SCOPED}, filter: { user-paths: { path: path } }`,
      'an answer that is read needs a bound (expected max: SIZE)',
    ],
    [
      'an answer of paths where none is the user’s',
      `${POST}, ${ANSWER}`,
      'no path of this route is in a folder of the user’s (expected rewrite: [{ scope-path: { …, root: /… } }])',
    ],
    [
      'a query parameter that is not forwarded',
      `match: GET /f, rewrite: [{ scope-path: { query: q, root: /srv/w } }], ${ANSWER}`,
      'this parameter is dropped (found q, expected query: [q])',
    ],
    [
      'two roots',
      `${POST}, rewrite: [{ scope-path: { field: a, root: /srv/w } }, { scope-path: { field: b, root: /srv/v } }], ${ANSWER}`,
      'the answer could name paths below one root only (found /srv/w, /srv/v, expected one root)',
    ],
    [
      'shadow',
      `mode: shadow, ${POST}, ${SCOPED}, ${ANSWER}`,
      'a path is confined only where the route is in effect for everybody (found shadow, expected mode: enforce)',
    ],
    [
      'off',
      `mode: off, ${POST}, ${SCOPED}, ${ANSWER}`,
      'a path is confined only where the route is in effect for everybody (found off, expected mode: enforce)',
    ],
    [
      'a path that was confined and then replaced',
      `${POST}, rewrite: [{ scope-path: { field: path, root: /srv/w } }, { set: { path: { value: /etc } } }], ${ANSWER}`,
      'this field holds an id that was checked, and what was checked is what is forwarded (found path, expected another field)',
    ],
  ])('%s', (_, route, fault) => {
    expect(faults(route)).toEqual([fault]);
  });

  test.each(['public', 'page'])('a %s route', (access) => {
    expect(faults(`access: ${access}, ${POST}, ${SCOPED}, ${ANSWER}`)).toContain(
      `a ${access} route knows no user whose folder it could be (found ${access})`,
    );
  });

  test('a cohort of the file for whom it is not in effect, unless the route has a mode of its own', () => {
    const cohorts = 'cohorts: { early: { mode: shadow, percent: 10 } }\n';
    const [fault] = faults(`${POST}, ${SCOPED}, ${ANSWER}`, cohorts);
    expect(fault).toMatch(/^a path is confined only where the route is in effect for everybody/);
    expect(faults(`mode: enforce, ${POST}, ${SCOPED}, ${ANSWER}`, `mode: shadow\n${cohorts}`)).toEqual([]);
  });
});
