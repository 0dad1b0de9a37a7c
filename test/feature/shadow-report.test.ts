/** A day in shadow in a minute: users with a token, an old page without one, and what `report` says of it. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/audit/report.ts';
import { runCommand } from '../../src/cli/run.ts';
import { eventually } from '../support/eventually.ts';
import { type Client, chatBody, jaazClient, openEar } from '../support/jaaz-client.ts';
import { jaazPolicy } from '../support/policies.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
let file: string;

const report = async (...words: readonly string[]): Promise<string> => {
  const out: string[] = [];
  const output = { out: (line: string) => out.push(line), err: (line: string) => out.push(line) };
  const stopped = (): Promise<string> => new Promise(() => undefined);
  expect(await runCommand(['report', '--config', file, ...words], { output, variables: {}, stopped })).toBe(0);
  return out.join('\n');
};

const writeConfig = (): void => {
  file = join(world.directory, 'gateway.yaml');
  const { name, issuer, audience, keys } = world.issuer.settings;
  const config = {
    upstream: { url: world.upstream.url },
    issuers: [{ name, issuer, audience, keys }],
    policies: [resolve('policies/jaaz.yaml')],
    audit: { file: 'audit.ndjson' },
  };
  // JSON is YAML too.
  writeFileSync(file, JSON.stringify(config));
};

beforeAll(async () => {
  world = await startWorld({ policy: jaazPolicy(['mode: enforce', 'mode: shadow']), stepMillis: 0 });
  writeConfig();
  const { url } = world.gateway;
  const people: Record<string, Client> = { old: jaazClient({ url, token: undefined }) };
  for (const user of ['alice', 'bob']) people[user] = jaazClient({ url, token: await world.issuer.token(user) });
  const ears = [
    await openEar({ url, token: await world.issuer.token('alice') }),
    await openEar({ url, token: undefined }),
  ];
  await eventually(() => world.upstream.sockets() === 1);
  const create = (user: string) =>
    people[user]?.post('/api/canvas/create', chatBody({ canvas: `${user}-c`, session: `${user}-s`, prompt: user }));
  expect((await create('alice'))?.status).toBe(200);
  expect((await create('bob'))?.status).toBe(200);
  for (const ear of ears) for (const session of ['alice-s', 'bob-s']) await ear.done(session, 2);
  for (let i = 0; i < 10; i += 1) {
    for (const user of ['alice', 'bob']) {
      expect((await people[user]?.get('/api/list_models'))?.status).toBe(200);
      expect((await people[user]?.get('/api/canvas/list'))?.status).toBe(200);
    }
  }
  // Another's canvas, without a token at all, and what nobody should ask for.
  expect((await people.bob?.get('/api/canvas/alice-c'))?.text).toContain('alice');
  expect((await people.old?.get('/api/canvas/alice-c'))?.status).toBe(200);
  expect((await people.alice?.get('/openapi.json'))?.status).toBe(200);
  for (const ear of ears) ear.close();
  await world.gateway.close(200);
});
afterAll(() => world.close());

describe('the report of a run in shadow', () => {
  test('says what is ready and what would break, why, and for whom', async () => {
    const { routes, total } = JSON.parse(await report('--json')) as Report;
    const row = (id: string) => routes.find(({ route }) => route === id);
    const broken = (id: string) =>
      row(id)?.breakages.map(({ reason, who }) => [reason, who.map((one) => one.who.replace(/, [^,]*$/, ''))]);
    expect(row('models.list')).toMatchObject({ readiness: 'ready', callers: 2, breakages: [] });
    expect(row('canvas.list')).toMatchObject({ readiness: 'ready', callers: 2 });
    // The other's, and one that the server begins with.
    expect(row('canvas.list')?.counts).toMatchObject({ decisions: 20, wouldRemove: 40, rows: 60 });
    expect(row('canvas.create')).toMatchObject({ readiness: 'few', callers: 2 });
    expect(broken('canvas.read')).toEqual([
      ['resource-hidden', ['test|bob']],
      ['token-missing', ['without token, 127.0.0.1']],
    ]);
    expect(broken('docs.openapi')).toEqual([['route-denied', ['test|alice']]]);
    expect(broken('(sockets)')).toEqual([['token-missing', ['without token, 127.0.0.1']]]);
    expect(row('chat.send')?.readiness).toBe('unseen');
    expect(total).toMatchObject({ enforced: 0, off: 0, refused: 0, wouldRefuse: 4, wouldThrottle: 0 });
  });

  test('says who has no token, and which events would not have been heard', async () => {
    const { withoutToken, events, users, lines } = JSON.parse(await report('--json')) as Report;
    expect(lines).toMatchObject({ malformed: 0, torn: false, outside: 0 });
    expect(withoutToken.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    expect(users.map(({ user }) => user)).toEqual(expect.arrayContaining(['test|alice', 'test|bob']));
    // Alice’s are withheld from the one without a token, Bob’s from both.
    const done = events.find(({ event, because }) => event === 'session_update/done' && because === null);
    expect(done).toMatchObject({ withheld: 6, of: 8 });
  });

  test('is of its period, and for people too', async () => {
    expect(await report('--until', '24h')).toContain('0 decisions');
    const text = await report('--since', '24h');
    expect(text).toMatch(/READY TO ENFORCE[^\n]*\n.*\n(.*\n)* {2}models\.list +20 +20 +2 /);
    expect(text).toMatch(/WOULD BREAK\n(.*\n)* {4}resource-hidden ×1\n {6}test\|bob {2}1/);
  });
});
