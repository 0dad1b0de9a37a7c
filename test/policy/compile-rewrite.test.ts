import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { refusalOf } from '../support/bodies.ts';
import { arrive, faultsOf, policyFrom, principalOf } from '../support/stages.ts';

const withSteps = (steps: string, more = ''): string => `version: 1
name: p
resources: { canvas: { id: '[a-z]{1,9}' }, file: { id: '[a-z]{1,9}' } }
catalogues: { models: { get: /models, keys: [id], max-age: 1s } }
routes:
  - id: r
    match: POST /a${more}
    body: { json: 1KiB, own: { canvas: canvas_id }, references: file }
    rewrite:
${steps
  .trim()
  .split('\n')
  .map((step) => `      - ${step.trim()}\n`)
  .join('')}`;

const rewritten = async (steps: string, body: JsonObject, roles: readonly string[] = []): Promise<JsonObject> => {
  const policy = policyFrom(withSteps(steps));
  const { request, match } = await arrive(policy, { method: 'POST', target: '/a', body });
  if (request.body.kind !== 'json') throw new Error('no body');
  const context = {
    canonical: request.canonical,
    principal: principalOf('alice', roles),
    catalogue: async () => [],
  };
  for (const operation of match.route.operations) await operation(request.body.value, context);
  return request.body.value;
};
const faults = (steps: string): string[] => faultsOf(withSteps(steps)).map((fault) => fault.replace('p.yaml:', ''));

describe('operations run in order', () => {
  test('each on what the one before it left', async () => {
    expect(await rewritten('set: { a: { value: 1 } }\nrename: { from: a, to: b }\nset: { a: user.id }', {})).toEqual({
      a: 'test|alice',
      b: 1,
    });
  });

  test('and under a condition only where it holds', async () => {
    const steps = 'set: { n: { value: [1] } }\n  when: { body: size, one-of: [big, 5] }'.replace('\n  ', ', ');
    const step = `{ ${steps} }`;
    expect(await rewritten(step, { size: 'big' })).toEqual({ size: 'big', n: [1] });
    expect(await rewritten(step, { size: 5 })).toEqual({ size: 5, n: [1] });
    expect(await rewritten(step, { size: '5' })).toEqual({ size: '5' });
    const drop = '{ drop: [x], when: { not: { role: admin } } }';
    expect(await rewritten(drop, { x: 1 })).toEqual({});
    expect(await rewritten(drop, { x: 1 }, ['admin'])).toEqual({ x: 1 });
  });

  test('a body that has the new name of a field already is refused', async () => {
    const steps = 'rename: { from: a, to: b }';
    expect(await refusalOf(() => rewritten(steps, { a: 1, b: 2 }))).toBe('field-invalid 400');
    expect(await refusalOf(() => rewritten(steps, { b: 2 }))).toBe('field-invalid 400');
    expect(await rewritten(steps, { a: 2 })).toEqual({ b: 2 });
  });
});

const CHECKED = 'this field holds an id that was checked, and what was checked is what is forwarded';

describe('what was checked stays what it was: a fault is', () => {
  test.each([
    [
      'a set of its field',
      'set: { canvas_id: user.id }',
      `10:27: ${CHECKED} (found canvas_id, expected another field)`,
    ],
    ['a constant in it', 'set: { canvas_id: { value: x } }', `10:27: ${CHECKED}`],
    ['its removal', 'drop: [x, canvas_id]', `10:19: ${CHECKED}`],
    ['a catalogue’s entry in it', 'catalogue: { field: canvas_id, from: models }', `10:29: ${CHECKED}`],
    ['another field under its name', 'rename: { from: x, to: canvas_id }', `10:32: ${CHECKED}`],
    ['another field as a citation', 'rename: { from: x, to: file_id }', `10:32: ${CHECKED}`],
    [
      'what was renamed, overwritten',
      'rename: { from: canvas_id, to: board }\nset: { board: { value: x } }',
      `11:23: ${CHECKED} (found board, expected another field)`,
    ],
    [
      'what was renamed, twice',
      'rename: { from: canvas_id, to: board }\nrename: { from: x, to: board }',
      `11:32: ${CHECKED}`,
    ],
    [
      'a checked field that is renamed at times',
      '{ rename: { from: canvas_id, to: board }, when: { role: x } }',
      '10:57: what is checked is renamed for every request',
    ],
  ])('%s', (_name, steps, words) => {
    expect(faults(steps)[0]).toContain(words);
  });

  test('but not its new name', () => {
    expect(faults('rename: { from: canvas_id, to: board }')).toEqual([]);
  });
});

const SETTLED = '11:32: an operation before this one has settled what this field holds';

describe('a fault is', () => {
  test.each([
    ['who is calling', 'set: { c: user.id }'],
    ['a removal', 'drop: [c]'],
    ['a choice', 'catalogue: { field: c, from: models }'],
    ['pictures', 'inline: c'],
  ])('another field in the place of %s', (_name, step) => {
    expect(faults(`${step}\nrename: { from: b, to: c }`)).toEqual([expect.stringContaining(SETTLED)]);
    expect(faults(`rename: { from: b, to: c }\n${step}`)).toEqual([]);
  });

  test('a choice that is renamed at times', () => {
    expect(
      faults('catalogue: { field: c, from: models }\n{ rename: { from: c, to: d }, when: { role: x } }')[0],
    ).toContain('11:45: what is checked is renamed for every request');
  });

  test.each([
    ['two fields under one name', 'rename: { from: a, to: c }\nrename: { from: b, to: c }', SETTLED],
    ['a name for itself', 'rename: { from: a, to: a }', '10:32: a field has this name already'],
    [
      'who is calling, at times',
      '{ set: { a: user.id }, when: { role: x } }',
      '10:38: who is calling is set for every caller',
    ],
    [
      'a removal that the client could lift',
      '{ drop: [a], when: { header: x-mode, is: safe } }',
      '10:28: what the client says of itself cannot lift a protection (expected a condition of roles alone)',
    ],
    [
      'the same, hidden in a list',
      '{ drop: [a], when: { all: [{ role: x }, { not: { query: q, is: y } }] } }',
      '10:28: what the client says of itself',
    ],
    ['a condition on inline', '{ inline: image_url, when: { role: x } }', '10:30: unknown key "when"'],
    [
      'a condition on a catalogue',
      '{ catalogue: { field: a, from: models }, when: { role: x } }',
      '10:50: unknown key "when"',
    ],
  ])('%s', (_name, steps, words) => {
    expect(faults(steps)).toEqual([expect.stringContaining(words)]);
  });
});
