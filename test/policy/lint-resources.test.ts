import { describe, expect, test } from 'vitest';
import { lint } from '../../src/policy/lint.ts';
import { chosenKinds } from '../../src/policy/lint-resources.ts';
import { jaazPolicy } from '../support/policies.ts';
import { subjectFrom } from '../support/warnings.ts';

const probe = "probe: { get: '/c/{canvas}', absent: { json: null } }";
const codes = (resources: string, ...routes: readonly string[]): string[] =>
  lint(subjectFrom(`resources:\n${resources}\nroutes:\n  - ${routes.join('\n  - ')}`)).flatMap(
    ({ code, line, found }) => (code.startsWith('resource-') ? [`${line} ${code} ${found}`] : []),
  );

const canvas = `  canvas: { id: '[a-z]+', ${probe} }`;
const read = '{ id: read, match: "GET /c/{canvas}" }';
const create = '{ id: create, match: POST /c, body: { json: 1KiB, create: { canvas: id } } }';
const remove = '{ id: remove, match: "DELETE /c/{canvas}", release: canvas }';
const other = '{ id: other, match: GET /, access: public }';

describe('a kind', () => {
  test('that nothing names is told, and only that', () => {
    expect(codes(canvas, other)).toEqual(['4 resource-unused canvas']);
  });

  test('that is somebody’s, named and given back is fine', () => {
    expect(codes(canvas, read, create, remove)).toEqual([]);
  });

  test('that nobody ever gets is told', () => {
    expect(codes(canvas, read)).toEqual(['4 resource-without-origin canvas']);
    expect(
      codes(
        canvas,
        '{ id: l, match: GET /l, filter: { keep: [{ resource: canvas, each: "[*]", id: id }], max: 1KiB } }',
      ),
    ).toEqual(['4 resource-without-origin canvas']);
    expect(codes(canvas, '{ id: c, match: POST /c, body: { json: 1KiB, references: canvas } }')).toEqual([
      '4 resource-without-origin canvas',
    ]);
  });

  test('that is never given back is told', () => {
    expect(codes(canvas, read, create)).toEqual(['4 resource-never-released canvas']);
    const learned = '{ id: up, match: POST /up, filter: { learn: { canvas: id }, max: 1KiB } }';
    expect(codes(canvas, learned)).toEqual(['4 resource-never-released canvas']);
  });

  test('goes with its parent', () => {
    const child = `${canvas}\n  page: { id: '[a-z]+', parent: canvas }`;
    const learned = '{ id: up, match: "POST /up/{canvas}", filter: { learn: { page: id }, max: 1KiB } }';
    expect(codes(child, create, remove, learned)).toEqual([]);
    expect(codes(child, create, learned).at(-1)).toBe('5 resource-never-released page');
  });

  test('whose ids clients choose, and for which the server is not asked, is told', () => {
    expect(codes("  canvas: { id: '[a-z]+' }", create, remove)).toEqual(['4 resource-not-probed canvas']);
  });
});

test('the ids that clients choose are those that they create or claim', () => {
  expect([...chosenKinds(jaazPolicy())].sort()).toEqual(['canvas', 'session']);
});
