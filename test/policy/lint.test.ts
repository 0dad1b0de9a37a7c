import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { lint } from '../../src/policy/lint.ts';
import { WARNINGS } from '../../src/policy/lint-warning.ts';
import { subjectFrom, subjectOf } from '../support/warnings.ts';

/** A policy that loads, and has every mistake there is. */
const WRONG = `resources:
  canvas: { id: '[a-z]+' }
  unused: { id: 'x' }
  orphan: { id: 'list', reserved: [list] }
limits:
  nothing: { points: 1, per: 1s, by: user }
catalogues:
  models: { get: /models, keys: [id], max-age: 1m }
cohorts:
  nobody: { mode: shadow }
  stranger: { mode: shadow, users: ['other|ann'] }
routes:
  - { id: create, match: POST /canvas, body: { json: 1KiB, create: { canvas: id } }, filter: { learn: { canvas: id }, max: 1KiB } }
  - { id: orphan, match: 'GET /orphan/{orphan}' }
  - { id: list, match: GET /list }
  - { id: write, match: POST /write }
  - { id: any, match: 'GET /any/{word}' }
  - { id: chat, match: POST /chat, body: { json: 1KiB }, rewrite: [{ catalogue: { field: model, from: tools } }] }
  - { id: a, match: GET /a, roles: [admin] }
  - { id: b, match: GET /b, roles: [admin] }
  - { id: c, match: GET /c, roles: [amdin, "\\t"] }
sockets:
  - path: /s/
    protocol: socket.io
    token: [auth]
    deliver:
      one: { owner: { canvas: id }, type: type, redact: [id], cancel: 'POST /stop/{canvas}', types: { a: { pending: call } } }
      two: { owner: { canvas: id }, type: type, types: { a: { opens: { canvas: text } } } }
`;

describe('lint', () => {
  test('finds every kind of mistake in one policy', () => {
    const text = WRONG.replace('catalogues:\n', 'catalogues:\n  tools: { get: /tools, keys: [id], max-age: 1m }\n');
    const codes = new Set(lint(subjectFrom(text)).map(({ code }) => code));
    expect([...codes].sort()).toEqual(Object.keys(WARNINGS).sort());
  });

  test('tells them in the order of the file', () => {
    const text = WRONG.replace('from: tools', 'from: models');
    const lines = lint(subjectFrom(text)).map(({ line }) => line);
    expect(lines.length).toBeGreaterThan(10);
    expect(lines).toEqual([...lines].sort((a, b) => a - b));
  });

  test('has nothing to say of the smallest policy', () => {
    expect(lint(subjectOf('policies/minimal.yaml'))).toEqual([]);
  });

  test.each(['jaaz', 'jaaz-workspace'])('has nothing to say of policies/%s.yaml', (name) => {
    expect(lint(subjectOf(`policies/${name}.yaml`))).toEqual([]);
  });

  test('finds what is taken out of the policy for Jaaz', () => {
    const text = readFileSync('policies/jaaz.yaml', 'utf8')
      .replace(/^version: 1\nname: jaaz\n/m, '')
      .replace('filter: { keep: [{ resource: canvas,', 'filter: { drop: [x], max: 1KiB }\n  # {')
      .replaceAll(', shared: true', '')
      .replaceAll('limits: [generate]', 'limits: []')
      .replace("probe: { get: '/api/chat_session", '#')
      .replace('release: canvas', 'hidden: { status: 200, json: null }');
    expect(new Set(lint(subjectFrom(text)).map(({ code, found }) => `${code} ${found}`))).toEqual(
      new Set([
        ...['canvas.list', 'config.exists', 'settings.exists'].map((id) => `list-unfiltered ${id}`),
        ...['canvas.create', 'chat.send', 'chat.magic'].map((id) => `generator-unlimited ${id}`),
        ...['canvas', 'session', 'file'].map((kind) => `resource-never-released ${kind}`),
        ...['resource-not-probed session', 'limit-unused generate'],
      ]),
    );
  });
});
