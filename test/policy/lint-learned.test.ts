import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { lint } from '../../src/policy/lint.ts';
import { found, subjectFrom } from '../support/warnings.ts';

const learned = (text: string): string[] =>
  found('learned-from-client', text).map((line) => line.replace(/^\d+: /, ''));

const head = "resources: { canvas: { id: '[a-z]+' }, file: { id: '[a-z]+[.]png' } }\nroutes:\n  - ";
const fromAnswer = (place: string, more = ''): string[] =>
  learned(`${head}{ id: up, match: POST /up, filter: { learn: { file: "${place}" }, max: 1KiB }${more} }`);

describe('an id that an answer names', () => {
  test('is the server’s where nothing of the request has its name', () => {
    expect(fromAnswer('file_id')).toEqual([]);
    expect(fromAnswer('data.id', ', body: { json: 1KiB, own: { canvas: canvas_id } }')).toEqual([]);
    expect(fromAnswer('file_id', ', body: { multipart: 1KiB, file: file }')).toEqual([]);
  });

  test.each([
    ['file', ', body: { multipart: 1KiB, file: file }', 'requests carry file'],
    ['canvas_id', ', body: { json: 1KiB, own: { canvas: canvas_id } }', 'requests carry canvas_id'],
    ['a.canvas_id.b', ', body: { json: 1KiB, create: { canvas: x.canvas_id } }', 'requests carry canvas_id'],
    ['word', ', query: [word]', 'requests carry word'],
    ['gone', ', body: { json: 1KiB }, rewrite: [{ drop: [gone] }]', 'requests carry gone'],
    ['old', ', body: { json: 1KiB }, rewrite: [{ rename: { from: old, to: new } }]', 'requests carry old'],
    [
      'deep',
      ', body: { json: 1KiB, schema: { type: object, properties: { a: { type: array, items: { type: object, properties: { deep: { type: string } } } } } } }',
      'requests carry deep',
    ],
    ['made', ', body: { json: 1KiB, claim: { file: mine } }', 'the request names a file itself'],
    ['filename', ', body: { multipart: 1KiB, file: file }', 'filename is text that people write'],
    ['Messages[*].id', '', 'Messages is text that people write'],
  ])('%s with %s proves nothing', (place, more, sign) => {
    expect(fromAnswer(place, more)).toEqual([`file at ${place}: ${sign}`]);
  });

  test('proves nothing of what the path names itself', () => {
    const text = `${head}{ id: up, match: "POST /up/{file}", filter: { learn: { file: id }, max: 1KiB } }`;
    expect(learned(text)).toEqual(['file at id: the request names a file itself']);
  });
});

const jaaz = readFileSync('policies/jaaz.yaml', 'utf8').replace(/^version: 1\nname: jaaz\n/m, '');
const fromEvent = (type: string, kind: string, place: string): string[] => {
  const text = jaaz.replace(
    new RegExp(`^ {10}${type}: .*$`, 'm'),
    `          ${type}: { learn: { ${kind}: ["${place}"] } }`,
  );
  expect(text).not.toBe(jaaz);
  return learned(text);
};

describe('an id that an event names', () => {
  test('is the server’s in the events of the policy for Jaaz', () => {
    expect(learned(jaaz)).toEqual([]);
  });

  test.each([
    ['all_messages', 'file', 'messages[*].content', 'messages is text that people write'],
    ['delta', 'file', 'text', 'text is text that people write'],
    ['tool_call_arguments', 'file', 'text', 'text is text that people write'],
    ['tool_call_result', 'file', 'message.content', 'message is text that people write'],
    ['tool_call_progress', 'file', 'update', 'update is text that people write'],
    ['tool_call', 'file', 'arguments.file', 'arguments is text that people write'],
    ['tool_call_confirmed', 'session', 'session_id', 'requests carry session_id'],
    ['tool_call_confirmed', 'canvas', 'board', 'clients choose the ids of a canvas'],
    ['tool_call', 'file', 'text_model.id', 'requests carry text_model'],
    ['tool_call_confirmed', 'file', 'tool_call_id', 'requests carry tool_call_id'],
  ])('proves nothing in %s, for %s at %s', (type, kind, place, sign) => {
    expect(fromEvent(type, kind, place)).toEqual([`${kind} at ${place}: ${sign}`]);
  });

  test('is told at its place', () => {
    const text = jaaz.replace('          delta: {}', '          delta: { learn: { file: [image_url, text] } }');
    const [warning] = lint(subjectFrom(text)).filter(({ code }) => code === 'learned-from-client');
    expect(
      `version: 1\nname: p\n${text}`.split('\n')[(warning?.line ?? 0) - 1]?.slice((warning?.column ?? 0) - 1),
    ).toBe('text] } }');
  });
});
