import { describe, expect, test } from 'vitest';
import type { EventRule } from '../../src/model/event.ts';
import { fieldPathText } from '../../src/model/field-path.ts';
import { jaazPolicy } from '../support/policies.ts';
import { faultsOf, policyFrom } from '../support/stages.ts';

const socket = (deliver: string): string => `version: 1
name: p
resources: { session: { id: '[a-z]{1,9}' }, file: { id: '[a-z]{1,9}' }, vague: { id: '[a-z]*[0-9]*' } }
routes: [{ id: a, match: GET /a }]
sockets:
  - { path: /s/, protocol: socket.io, token: [auth], deliver: { update: ${deliver} } }
`;
const rule = (more: string, types = '{ a: {} }'): EventRule => {
  const text = socket(`{ owner: { session: id }, type: type, ${more} types: ${types} }`);
  const found = policyFrom(text).sockets[0]?.deliver.get('update');
  if (found === undefined) throw new Error('no rule');
  return found;
};
const faults = (deliver: string): string[] => faultsOf(socket(deliver));
const ofRule = (more: string, types = '{ a: {} }'): string[] =>
  faults(`{ owner: { session: id }, type: type, ${more} types: ${types} }`);
const texts = (paths: EventRule['typePath'][] = []): string[] => paths.map(fieldPathText);

describe('the shipped policy', () => {
  const update = jaazPolicy().sockets[0]?.deliver.get('session_update');
  const typesWith = (is: (type: NonNullable<ReturnType<EventRule['types']['get']>>) => boolean): string[] =>
    [...(update?.types ?? [])].filter(([, type]) => is(type)).map(([name]) => name);

  test('delivers by the session, and learns from the server’s own types only', () => {
    expect(update?.owner.kind.name).toBe('session');
    expect(update?.agree.map(({ kind, path }) => [kind.name, fieldPathText(path)])).toEqual([['canvas', 'canvas_id']]);
    expect(typesWith(({ learn }) => learn.length > 0)).toEqual(['image_generated', 'video_generated']);
    expect(typesWith(({ endsRun }) => endsRun)).toEqual(['error', 'done']);
  });

  test('hears which calls wait, and what agents are about to open, and knows how a run is ended', () => {
    expect(typesWith(({ pending }) => pending !== undefined)).toEqual(['tool_call_pending_confirmation']);
    expect(typesWith(({ settled }) => settled !== undefined)).toEqual(['tool_call_confirmed', 'tool_call_cancelled']);
    const opening = typesWith(({ opens }) => opens !== undefined);
    expect(opening).toEqual(['tool_call', 'tool_call_arguments', 'tool_call_pending_confirmation']);
    const opened = opening.map((type) => update?.types.get(type)?.opens);
    expect(opened.map((opens) => [opens?.kind.name, ...texts([opens?.text ?? [], opens?.call ?? []])])).toEqual([
      ['file', 'arguments', 'id'],
      ['file', 'text', 'id'],
      ['file', 'arguments', 'id'],
    ]);
    expect(update?.cancel).toBe('/api/cancel/{session}');
  });
});

describe('a rule', () => {
  test('says nothing that is not written', () => {
    expect(rule('')).toMatchObject({ cancel: undefined, relativeUrls: false });
    expect(rule('').types.get('a')).toEqual({
      learn: [],
      endsRun: false,
      pending: undefined,
      settled: undefined,
      opens: undefined,
      redact: [],
    });
  });

  test('hides in each type what it hides in all, and what the type hides', () => {
    const { types } = rule('redact: [key],', "{ a: {}, b: { redact: ['steps[*].key', '*'] } }");
    expect(texts([...(types.get('a')?.redact ?? [])])).toEqual(['key']);
    expect(texts([...(types.get('b')?.redact ?? [])])).toEqual(['key', 'steps[*].key', '*']);
  });

  test('names what is opened with a call, or without', () => {
    const { types } = rule('', '{ a: { opens: { file: x.y }, call: id }, b: { opens: { file: text } } }');
    expect(types.get('a')?.opens).toMatchObject({ kind: { name: 'file' }, text: ['x', 'y'], call: ['id'] });
    expect(types.get('b')?.opens).toMatchObject({ kind: { name: 'file' }, text: ['text'], call: undefined });
  });

  test('ends a run by a POST of which the path is kept', () => {
    expect(rule("cancel: 'POST /a/{session}/stop',").cancel).toBe('/a/{session}/stop');
  });
});

describe('a fault:', () => {
  test.each([
    ['no owner', '{ owner: {}, type: type, types: {} }', 'an event has one owner (found 0, expected { kind: field })'],
    [
      'two owners',
      '{ owner: { session: a, file: b }, type: type, types: {} }',
      'an event has one owner (found 2, expected { kind: field })',
    ],
    [
      'an unknown owner',
      '{ owner: { sessions: a }, type: type, types: {} }',
      'this resource is not declared (found sessions, expected session)',
    ],
    [
      'an unknown kind that agrees',
      '{ owner: { session: a }, agree: { fil: b }, type: t, types: {} }',
      'not declared (found fil',
    ],
    [
      'a place that is none',
      '{ owner: { session: a..b }, type: t, types: {} }',
      'not a place in a JSON value (found a..b',
    ],
    ['a type that is none', "{ owner: { session: a }, type: '.', types: {} }", 'not a place in a JSON value (found .'],
    [
      'an unknown kind that is learned',
      '{ owner: { session: a }, type: t, types: { x: { learn: { files: [a] } } } }',
      'this resource is not declared (found files, expected file)',
    ],
  ])('%s', (_name, deliver, words) => {
    expect(faults(deliver).some((text) => text.startsWith('p.yaml:6:') && text.includes(words))).toBe(true);
  });

  test.each([
    ['a place that is none, to be hidden', 'redact: [a..b],', '{ a: {} }', 'not a place in a JSON value (found a..b'],
    ['the same in a type', '', '{ a: { redact: [ok, .] } }', 'not a place in a JSON value (found .'],
    [
      'a call at several places',
      '',
      "{ a: { pending: 'ids[*]' } }",
      'one place is needed here, not several (found ids',
    ],
    ['a settled one at several', '', '{ a: { settled: ids.* }, b: { pending: id } }', 'one place is needed here'],
    [
      'a call that begins and ends to wait',
      '',
      '{ a: { pending: id, settled: id } }',
      'a call begins to wait or ceases to, not both at once (found pending and settled, expected one of them)',
    ],
    [
      'calls that are settled, and never wait',
      '',
      '{ a: { settled: id } }',
      'no type of this event says that a call waits (found id, expected pending: place, at another type)',
    ],
    [
      'a call of nothing',
      '',
      '{ a: { call: id } }',
      'the call is that of what an agent opens (found id, expected opens:',
    ],
    ['nothing that is opened', '', '{ a: { opens: {} } }', 'one kind is looked for in one text (found 0'],
    [
      'two kinds in one text',
      '',
      '{ a: { opens: { file: a, session: a } } }',
      'one kind is looked for in one text (found 2',
    ],
    ['an unknown kind', '', '{ a: { opens: { fil: a } } }', 'this resource is not declared (found fil, expected file)'],
    ['several texts', '', "{ a: { opens: { file: 'a[*]' } } }", 'one place is needed here, not several (found a[*])'],
    ['a call at several places', '', "{ a: { opens: { file: a }, call: 'b[*]' } }", 'one place is needed here'],
    [
      'a kind whose ids are slow to find in texts',
      '',
      '{ a: { opens: { vague: a } } }',
      'to be looked for in texts, the grammar of vague is too clever',
    ],
  ])('%s', (_name, more, types, words) => {
    const found = ofRule(more, types);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^p\.yaml:6:\d+: /);
    expect(found[0]).toContain(words);
  });

  test.each([
    'GET /api/cancel/{session}',
    'DELETE /api/cancel/{session}',
    'POST /api/cancel',
    'POST /api/cancel/{file}',
    'POST /api/cancel/{id}',
    'POST /api/cancel/{session}/{file}',
    'POST /api/{session}/cancel/*',
    'POST /api/cancel/*',
    'POST /api/../cancel/{session}',
    'POST /api/cancel/{session}?all=1',
    'POST http://elsewhere/{session}',
    '/api/cancel/{session}',
    'POST',
  ])('a run that is ended by %s', (cancel) => {
    expect(ofRule(`cancel: '${cancel}',`)).toEqual([
      expect.stringContaining(
        `: a run is ended by a POST that names it once (found ${cancel}, expected POST /path/{session})`,
      ),
    ]);
  });
});
