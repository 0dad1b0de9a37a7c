import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Policy } from '../../src/model/policy.ts';
import { formatFault } from '../../src/policy/fault.ts';
import { type LivePolicy, livePolicy } from '../../src/policy/live.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import type { Load } from '../../src/policy/snapshot.ts';
import { policyOf } from '../support/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'live-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'p.yaml');

const socket = (path: string, accept = 'ping'): string => `
sockets:
  - path: ${path}
    protocol: socket.io
    token: [auth]
    deliver: { update: { owner: { doc: id }, type: type, types: { a: {} } } }
    accept: { ${accept}: pong }
`;
const write = (route: string, more = socket('/ws/')): void =>
  writeFileSync(
    file,
    `version: 1\nname: p\nresources: { doc: { id: '[a-z]{1,9}' } }\nroutes: [{ id: ${route}, match: GET /${route} }]\n${more}`,
  );

let time = 0;
const open = (load?: Load): LivePolicy => {
  const live = livePolicy([file], { now: () => time, ...(load === undefined ? {} : { load }) });
  if ('faults' in live) throw new Error(live.faults.map(formatFault).join('\n'));
  return live;
};
const routesOf = ({ policy }: LivePolicy): string[] => policy.routes.map(({ id }) => id);
const faultsOf = ({ lastFailure }: LivePolicy): string[] =>
  (lastFailure?.faults ?? []).map((fault) => formatFault(fault).replace(`${folder}/`, ''));

beforeEach(() => {
  time = 0;
  write('one');
});

describe('the view', () => {
  test('has everything that a compiled policy and its socket have', () => {
    const [view, compiled] = [open().policy, policyOf('policies/jaaz.yaml')];
    const [rule] = compiled.sockets;
    expect(Object.keys(view).sort()).toEqual(Object.keys(compiled).sort());
    expect(Object.keys(view.sockets[0] ?? {}).sort()).toEqual(Object.keys(rule ?? {}).sort());
  });

  test('is one object, and always reads what is live', () => {
    const live = open();
    const { policy } = live;
    const { match, sockets } = policy;
    const [rule] = sockets;
    const inFlight = match('GET', '/one');
    write('two', socket('/ws/', 'hello'));
    expect(live.reload()).toMatchObject({ outcome: 'loaded', generation: { generation: 2 } });
    expect(live.policy).toBe(policy);
    expect([match('GET', '/one'), match('GET', '/two')?.route.id]).toEqual([undefined, 'two']);
    expect([...(rule?.accept.keys() ?? [])]).toEqual(['hello']);
    expect(inFlight?.route.id).toBe('one');
  });

  test('of a socket, too: how clients reach it, what is kept for them, and what its events say', () => {
    const live = open();
    const [rule] = live.policy.sockets;
    const said = () => [
      [...(rule?.transports ?? [])],
      rule?.missed?.maxEvents,
      [...(rule?.credentials ?? [])],
      rule?.deliver.get('update')?.types.get('a')?.pending,
    ];
    expect(said()).toEqual([['websocket'], 1_000, ['auth'], undefined]);
    const more = 'token: [auth, header]\n    transports: [websocket, polling]\n    missed: { events: 5 }';
    write('one', socket('/ws/').replace('token: [auth]', more).replace('a: {}', 'a: { pending: call }'));
    expect(live.reload()).toMatchObject({ outcome: 'loaded' });
    expect(said()).toEqual([['websocket', 'polling'], 5, ['auth', 'header'], ['call']]);
  });
});

describe('a change', () => {
  test('is a new generation, with the digest of its files and the time', () => {
    const live = open();
    const { sha256 } = live.current;
    expect(live.current).toMatchObject({ generation: 1, loadedAtMillis: 0 });
    write('two');
    time = 5;
    live.reload();
    expect(live.current).toMatchObject({ generation: 2, loadedAtMillis: 5, files: [{ file }] });
    expect(live.current.sha256).not.toBe(sha256);
    expect(live.previous).toMatchObject({ generation: 1, sha256 });
  });

  test('that is none makes no generation', () => {
    const live = open();
    write('one');
    expect([live.reload(), live.reloadChanged()]).toEqual([{ outcome: 'unchanged' }, { outcome: 'unchanged' }]);
    expect(live.current.generation).toBe(1);
  });
});

describe('a bad file', () => {
  test('leaves the old policy live and says why, until it is right', () => {
    const live = open();
    writeFileSync(file, 'version: 1\nname: p\nroutes: [{ id: a, match: GET }]\n');
    time = 7;
    expect(live.reload()).toMatchObject({ outcome: 'refused', failure: { atMillis: 7 } });
    expect(live.current.generation).toBe(1);
    expect(routesOf(live)).toEqual(['one']);
    expect(faultsOf(live)[0]).toMatch(/^p\.yaml:3:\d+: .*expected/);
    write('two');
    expect(live.reload()).toMatchObject({ outcome: 'loaded' });
    expect(live.lastFailure).toBeUndefined();
  });

  test('is refused once, not at each look', () => {
    const live = open();
    writeFileSync(file, '[');
    expect(live.reloadChanged().outcome).toBe('refused');
    expect(live.reloadChanged().outcome).toBe('unchanged');
    expect(live.lastFailure).toBeDefined();
    write('one');
    expect(live.reloadChanged().outcome).toBe('unchanged');
    expect(live.lastFailure).toBeUndefined();
  });

  test('that is away is a fault like any other', () => {
    const live = open();
    rmSync(file);
    live.reloadChanged();
    expect(faultsOf(live)).toEqual(['p.yaml:1:1: the file cannot be read: ENOENT']);
    expect(live.files).toEqual([file]);
  });

  test('at the start is no policy at all', () => {
    writeFileSync(file, '[');
    expect(livePolicy([file])).toHaveProperty('faults');
  });
});

describe('what a running process cannot take', () => {
  test.each([
    ['/other/', 'p.yaml: the path of the socket changes from /ws/ to /other/: that needs a restart'],
    [undefined, 'p.yaml: the socket at /ws/ disappears: that needs a restart'],
  ])('a socket at %s is refused in a sentence', (path, sentence) => {
    const live = open();
    write('two', path === undefined ? '' : socket(path));
    expect(live.reload().outcome).toBe('refused');
    expect(faultsOf(live)).toEqual([sentence]);
    expect(routesOf(live)).toEqual(['one']);
  });

  test('a socket where there was none is refused too', () => {
    write('one', '');
    const live = open();
    write('one');
    live.reload();
    expect(faultsOf(live)).toEqual(['p.yaml: a socket appears at /ws/: that needs a restart']);
  });

  test('a policy against which something else speaks is refused, at the start and later', () => {
    const check = ({ routes }: Policy) =>
      routes.some(({ id }) => id === 'two') ? [{ file: 'g.yaml', line: 0, column: 0, message: 'not here' }] : [];
    const live = livePolicy([file], { check });
    if ('faults' in live) throw new Error('it is good');
    write('two');
    expect(live.reload().outcome).toBe('refused');
    expect(faultsOf(live)).toEqual(['g.yaml: not here']);
    expect(routesOf(live)).toEqual(['one']);
    expect(livePolicy([file], { check })).toMatchObject({ faults: [{ message: 'not here' }] });
  });

  test('a policy that fails its own test is refused', () => {
    const deaf = (policy: Policy): Policy => ({ ...policy, match: () => undefined });
    let isDeaf = false;
    const live = open((files, read) => {
      const loaded = loadPolicy(files, read);
      return isDeaf && 'policy' in loaded ? { policy: deaf(loaded.policy) } : loaded;
    });
    isDeaf = true;
    write('two');
    expect(live.reload().outcome).toBe('refused');
    expect(faultsOf(live)).toEqual(['p.yaml: self-test: GET /two reaches no route instead of the route two']);
    expect(routesOf(live)).toEqual(['one']);
  });
});

describe('rolling back', () => {
  const rolledBack = (): LivePolicy => {
    const live = open();
    write('two');
    live.reload();
    expect(live.rollBack()).toMatchObject({ generation: 1 });
    return live;
  };

  test('makes the generation before live again', () => {
    const live = rolledBack();
    expect(routesOf(live)).toEqual(['one']);
    expect(live.current.generation).toBe(1);
    expect(live.rolledBackFrom?.generation).toBe(2);
    expect(live.previous).toBeUndefined();
    expect(live.rollBack()).toBeUndefined();
  });

  test('is not undone by the file that was rolled back, however often it is written', () => {
    const live = rolledBack();
    expect(live.reloadChanged().outcome).toBe('unchanged');
    rmSync(file);
    expect(live.reloadChanged().outcome).toBe('refused');
    write('two');
    expect(live.reloadChanged().outcome).toBe('unchanged');
    expect(live.lastFailure).toBeUndefined();
    expect(routesOf(live)).toEqual(['one']);
  });

  test('ends with the next change of the file, under a number of its own', () => {
    const live = rolledBack();
    write('three');
    expect(live.reloadChanged().outcome).toBe('loaded');
    expect([live.current.generation, live.rolledBackFrom, routesOf(live)]).toEqual([3, undefined, ['three']]);
  });

  test('ends when somebody asks for the file as it is', () => {
    const live = rolledBack();
    expect(live.reload().outcome).toBe('loaded');
    expect([live.current.generation, routesOf(live)]).toEqual([3, ['two']]);
  });

  test('more than once is not undone by the files either', () => {
    const live = open();
    for (const route of ['two', 'three']) {
      write(route);
      live.reload();
    }
    live.rollBack();
    live.rollBack();
    rmSync(file);
    live.reloadChanged();
    write('three');
    expect(live.reloadChanged().outcome).toBe('unchanged');
    expect(routesOf(live)).toEqual(['one']);
  });

  test('goes back four generations, and then no further', () => {
    const live = open();
    for (const route of ['two', 'three', 'four', 'five', 'six']) {
      write(route);
      live.reload();
    }
    const back = [1, 2, 3, 4, 5].map(() => live.rollBack()?.generation);
    expect(back).toEqual([5, 4, 3, 2, undefined]);
  });
});
