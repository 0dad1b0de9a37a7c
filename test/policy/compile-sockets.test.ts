import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatFault } from '../../src/policy/fault.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { faultsOf, policyFrom } from '../support/stages.ts';

const endpoint = (id: string, path: string, more = ''): string =>
  `  - { id: ${id}, path: '${path}', protocol: websocket, token: [header], opaque: true${more} }\n`;

const IO = '  - { path: /socket.io/, protocol: socket.io, token: [auth], deliver: {} }\n';

const text = (sockets: string): string => `version: 1
name: p
resources: { session: { id: '[0-9]{1,9}' }, canvas: { id: '[a-z]{1,9}', reserved: [list] }, room: { id: '[a-z.]{1,9}' } }
routes:
  - { id: page, match: 'GET /page/{session}' }
  - { id: post, match: 'POST /live' }
sockets:
${sockets}`;

test('endpoints of both protocols stand side by side, in the order of the files', () => {
  const policy = policyFrom(
    text(endpoint('a', '/ws/{session}') + IO + endpoint('b', '/ws/list') + endpoint('c', '/{canvas}/ws')),
  );
  expect(policy.sockets.map(({ path }) => path)).toEqual(['/socket.io/']);
  expect(policy.webSockets.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
});

test('a policy of which an endpoint alone is not in effect is not in effect for everybody', () => {
  const folder = mkdtempSync(join(tmpdir(), 'endpoints-'));
  const files = ['routes.yaml', 'endpoints.yaml'].map((name) => join(folder, name));
  const enforcedWith = (mode: string): boolean => {
    writeFileSync(files[0] ?? '', 'version: 1\nname: r\nroutes: [{ id: a, match: GET /a }]\n');
    writeFileSync(files[1] ?? '', `version: 1\nname: e\nmode: ${mode}\nsockets:\n${endpoint('s', '/ws')}`);
    const loaded = loadPolicy(files);
    if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'));
    return loaded.policy.enforced;
  };
  try {
    expect([enforcedWith('enforce'), enforcedWith('shadow')]).toEqual([true, false]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('a fault:', () => {
  test.each([
    ['two endpoints at one path', endpoint('a', '/ws') + endpoint('b', '/ws'), 'match this endpoint and a (found b'],
    [
      'an id that could be the other’s word',
      endpoint('a', '/ws/abc') + endpoint('b', '/ws/{canvas}'),
      'endpoint and a (found b',
    ],
    ['a route at the path', endpoint('a', '/page/7'), 'match this endpoint and page (found a'],
    ['the id of another endpoint', endpoint('a', '/x') + endpoint('a', '/y'), 'this id is used twice (found a)'],
    ['the id of a route', endpoint('page', '/x'), 'this id is used twice (found page)'],
    ['two of Socket.IO', IO + IO.replace('/socket.io/', '/other/'), 'one Socket.IO endpoint is supported (found 2)'],
    [
      'the broadcast behind it',
      IO + endpoint('a', '/ws', ', forward-to: /socket.io/'),
      'lead to the Socket.IO endpoint',
    ],
    [
      'the broadcast below it',
      IO + endpoint('a', '/ws', ', forward-to: /socket.io/x'),
      'lead to the Socket.IO endpoint',
    ],
    ['the broadcast without its slash', IO + endpoint('a', '/ws', ', forward-to: /socket.io'), 'past its rules'],
    [
      'the broadcast by a way round',
      IO + endpoint('a', '/ws', ', forward-to: /x/../socket.io/'),
      'not a plain path (found /x/../socket.io/',
    ],
    ['the broadcast as an id', IO + endpoint('a', '/{room}'), 'past its rules (found /{room}'],
    ['the broadcast below an id', IO + endpoint('a', '/{room}/{session}'), 'past its rules'],
    ['the broadcast’s own path', IO + endpoint('a', '/socket.io'), 'lead to the Socket.IO endpoint'],
  ])('%s', (_name, sockets, words) => {
    const faults = faultsOf(text(sockets));
    expect(
      faults.some((fault) => /^p[.]yaml:\d+:/.test(fault) && fault.includes(words)),
      faults.join('\n'),
    ).toBe(true);
  });

  test('none where the path that the server is asked for is another one, with or without a slash at its end', () => {
    const away = ['/live', '/live/', '/'].map((to, n) => endpoint(`a${n}`, `/ws${n}/{room}`, `, forward-to: ${to}`));
    expect(faultsOf(text(IO + away.join('') + endpoint('b', '/{room}', ', forward-to: /live')))).toEqual([]);
  });

  test('none where only another method has the path, or where no id can be the other’s word', () => {
    expect(faultsOf(text(endpoint('a', '/live') + endpoint('b', '/page/abc') + endpoint('c', '/socket.iox')))).toEqual(
      [],
    );
  });

  test('more endpoints than anybody has', () => {
    const many = Array.from({ length: 101 }, (_, n) => endpoint(`a${n}`, `/ws${n}`)).join('');
    expect(faultsOf(text(many)).some((fault) => fault.includes('at most 100'))).toBe(true);
  });
});
