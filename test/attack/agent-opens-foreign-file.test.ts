/**
 * The model chooses what its tools open, out of free text: a name may reach it in ways that no look at the prompt can
 * see (contract, section 6). What it is about to open it says in the arguments of its calls, to everybody.
 *
 * The stand-in's agent is no model: it opens what the markup of a prompt names, and the gateway refuses such a prompt. So
 * here the run is begun past the gateway, in a session that is Bob's; from then on all is as if a model had been talked
 * into it. What this agent cannot be made to say is said by the broadcast itself.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawPng } from '../../demo/jaaz/image.ts';
import { eventually } from '../support/eventually.ts';
import { chatBody, type Update } from '../support/jaaz-client.ts';
import { type PeopledWorld, type Person, startPeopledWorld } from '../support/people.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';

const secret = drawPng('what only Alice has seen', {});

let world: PeopledWorld;
let victim: string;
let own: string;
let hostFile: string;
const notices: unknown[] = [];

const upload = async ({ client }: Person, bytes: Buffer): Promise<string> =>
  (JSON.parse((await client.upload('x.png', bytes)).text) as { file_id: string }).file_id;

beforeAll(async () => {
  world = await startPeopledWorld({ policy: jaazPolicy(...withoutLimits), stepMillis: 2 });
  victim = await upload(world.alice, secret);
  own = await upload(world.bob, drawPng('Bob’s', {}));
  mkdirSync(join(world.directory, 'host'));
  hostFile = join(world.directory, 'host', 'host.png');
  writeFileSync(hostFile, secret);
  world.bob.ear.socket.on('gateway', (notice: unknown) => notices.push(notice));
  await eventually(() => world.upstream.sockets() === 2);
});
afterAll(() => world.close());

let turn = 0;

/** A session of Bob's, with a canvas, of which the first run is over. */
const openSession = async () => {
  turn += 1;
  const place = { canvas: `b-canvas-${turn}`, session: `b-session-${turn}` };
  await world.bob.client.post('/api/canvas/create', chatBody({ ...place, prompt: 'something harmless' }));
  await world.bob.ear.done(place.session, 2);
  return place;
};

type Place = Awaited<ReturnType<typeof openSession>>;

/** The upstream's agent is about to open this. Resolves when its run is over. */
const runOf = (place: Place, id: string, more = ''): Promise<unknown> => {
  const prompt = `Copy <image file_id="${id}" /> please${more}`;
  const before = { role: 'user', content: 'something harmless' };
  const messages = [before, { role: 'user', content: [{ type: 'text', text: prompt }] }];
  return world.direct.client.post('/api/chat', chatBody({ ...place, prompt, more: { messages } }));
};

const say = (session: string, type: string, fields: object = {}): void =>
  world.upstream.broadcast('session_update', { session_id: session, canvas_id: null, type, ...fields });

/** Sends an event that Bob hears: what was to reach him before it has. */
const settled = async (): Promise<void> => {
  const text = `mark ${Math.random()}`;
  say('b-session-1', 'delta', { text });
  await eventually(() => world.bob.ear.updates.some((update) => update.text === text));
};

const heardBy = ({ ear }: Person, session: string): Update[] =>
  ear.updates.filter((update) => update.session_id === session);

const cancels = (session: string) =>
  world.upstream.requests.filter(({ method, path }) => method === 'POST' && path === `/api/cancel/${session}`);

const stops = (session: string) =>
  world
    .audit()
    .filter(({ kind, resources }) => kind === 'event' && (resources as string[]).includes(`session:${session}`));

const pictures = (): string[] => readdirSync(world.upstream.filesDir);

describe('on the bare server', () => {
  test.each([
    ['another’s file', () => victim],
    ['a file of the host', () => hostFile],
    ['a file above the folder', () => '../../host/host.png'],
  ])('the agent opens %s, and says so before', async (_what, id) => {
    const place = { canvas: `direct-canvas-${id().length}`, session: `direct-session-${id().length}` };
    await world.direct.client.post('/api/canvas/create', chatBody({ ...place, prompt: 'something harmless' }));
    await world.direct.ear.done(place.session, 2);
    await runOf(place, id());
    const types = () => heardBy(world.direct, place.session).filter(({ type }) => type === 'image_generated');
    await eventually(() => types().length === 2);
    const copy = await world.direct.client.get(String(types()[1]?.image_url));
    expect(copy.bytes).toEqual(secret);
    const said = heardBy(world.direct, place.session).filter(({ type }) => type === 'tool_call_arguments');
    expect(said.map(({ text }) => text).join('')).toContain(JSON.stringify([id()]));
  });
});

describe('through the gateway', () => {
  test('such a run is cancelled at the server before it has made anything', async () => {
    const place = await openSession();
    const before = pictures();
    await runOf(place, victim, ' [[slow]]');
    expect(cancels(place.session).map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(pictures()).toEqual(before);
    // The stand-in says `done` once after a cancel (contract, section 4).
    const done = heardBy(world.direct, place.session).filter(({ type }) => type === 'done');
    expect(done).toHaveLength(3);
  });

  test.each([
    ['another’s file', () => victim, () => [`file:${victim}`]],
    ['a file of the host', () => hostFile, () => []],
    ['a file above the folder', () => '../../host/host.png', () => []],
  ])('nothing is heard of a run that opens %s but its end, and the audit has it', async (_what, id, named) => {
    const place = await openSession();
    const before = heardBy(world.bob, place.session).length;
    await runOf(place, id(), ' [[slow]]');
    await world.bob.ear.done(place.session, 3);
    await settled();
    const heard = heardBy(world.bob, place.session).slice(before);
    expect(heard.at(-1)).toEqual({ session_id: place.session, canvas_id: null, type: 'done' });
    expect(heard.map(({ type }) => type)).not.toContain('image_generated');
    expect(JSON.stringify(heard)).not.toContain('Here is the picture');
    await eventually(() => stops(place.session).length > 0);
    expect(stops(place.session)).toMatchObject([
      {
        outcome: 'refused',
        reason: 'foreign-file-opened',
        owner: 'test|bob',
        resources: [`session:${place.session}`, ...named()],
      },
    ]);
    expect(notices).toContainEqual({
      ...{ type: 'run-stopped', kind: 'session', id: place.session, code: 'foreign-file-opened' },
    });
  });

  test.each([
    ['in two pieces', (name: string) => [`{"input_images":["${name.slice(0, 5)}`, `${name.slice(5)}"]}`]],
    ['letter by letter', (name: string) => [...JSON.stringify({ input_images: [name] })]],
    ['with escapes', (name: string) => [`{"input_images":["\\u0069m`, `\\u00`, `5f${name.slice(3)}"]}`]],
    ['with escapes of an URL', (name: string) => [`{"input_images":["%69m_${name.slice(3)}"]}`]],
    ['below a path', (name: string) => [`{"input_images":["./a/b/${name}"]}`]],
    ['as an URL', (name: string) => [`{"input_images":["http://localhost:57988/api/file/${name}"]}`]],
    ['as a list that is a text', (name: string) => [JSON.stringify({ input_images: JSON.stringify([name]) })]],
    ['behind more text than is kept', (name: string) => ['x'.repeat(100_000), JSON.stringify([name])]],
  ])('a name is found %s', async (_how, pieces) => {
    const { session } = await openSession();
    for (const text of pieces(victim)) say(session, 'tool_call_arguments', { id: 'call-1', text });
    await eventually(() => stops(session).length > 0 && cancels(session).length > 0);
    expect(stops(session)[0]).toMatchObject({
      reason: 'foreign-file-opened',
      resources: [`session:${session}`, `file:${victim}`],
    });
  });

  // Bob hears each piece, and the later of two runs of a session is the one that a cancel ends.
  test('a name is found when another run of its session is cancelled in the middle of it', async () => {
    const { session } = await openSession();
    say(session, 'tool_call_arguments', { id: 'call-1', text: `{"input_images":["${victim.slice(0, 6)}` });
    for (const type of ['error', 'done', 'done']) say(session, type);
    say(session, 'tool_call_arguments', { id: 'call-1', text: `${victim.slice(6)}"]}` });
    await eventually(() => stops(session).length > 0 && cancels(session).length > 0);
  });

  test.each([
    ['without an ending', () => [JSON.stringify({ input_images: [join(world.directory, 'picture')] })]],
    ['above the folder, without an ending', () => ['{"input_images":["../../picture"]}']],
    [
      'in a long list that is a text and comes at once',
      () => [JSON.stringify({ input_images: JSON.stringify([hostFile, 'x'.repeat(5_000)]) })],
    ],
    ['behind a call of the same id that was cut off', () => ['{"prompt":"a c', JSON.stringify({ images: [hostFile] })]],
  ])('a path of the host is found %s', async (_how, pieces) => {
    const { session } = await openSession();
    for (const text of pieces()) say(session, 'tool_call_arguments', { id: 'call-1', text });
    await eventually(() => stops(session).length > 0);
    expect(stops(session)[0]).toMatchObject({ reason: 'foreign-file-opened', resources: [`session:${session}`] });
  });

  test('a cancel that found no run yet is repeated until the run has ended', async () => {
    const { session } = await openSession();
    say(session, 'tool_call_arguments', { id: 'call-1', text: JSON.stringify([victim]) });
    await eventually(() => cancels(session).length > 1);
    say(session, 'done');
    await world.bob.ear.done(session, 3);
    const asked = cancels(session).length;
    await openSession();
    expect(cancels(session).length).toBeLessThanOrEqual(asked + 1);
  });

  describe('what such a run made all the same', () => {
    const copy = 'stolencopy.png';
    let place: Place;

    beforeAll(async () => {
      place = await openSession();
      writeFileSync(join(world.upstream.filesDir, copy), secret);
      say(place.session, 'tool_call_arguments', { id: 'call-1', text: JSON.stringify({ input_images: [victim] }) });
      const url = `/api/file/${copy}`;
      say(place.session, 'image_generated', { canvas_id: place.canvas, file: { dataURL: url }, image_url: url });
      say(place.session, 'tool_call_result', { id: 'call-1', message: { content: `![it](${url})` } });
      say(place.session, 'error', { error: `something of ${victim}` });
      await settled();
    });

    test('is heard by nobody, and an error that ends the run says nothing', () => {
      expect(JSON.stringify(world.bob.ear.updates)).not.toContain(copy);
      expect(JSON.stringify(heardBy(world.bob, place.session))).not.toContain(victim);
      expect(heardBy(world.bob, place.session).at(-1)).toEqual({
        ...{ session_id: place.session, canvas_id: null, type: 'error' },
      });
    });

    test('is nobody’s: it is not served, not used in a prompt, and no later run opens it', async () => {
      await eventually(async () => {
        const prompt = `take ${copy} as a model`;
        const again = chatBody({ canvas: `x-${turn}`, session: `y-${turn}`, prompt });
        turn += 1;
        return (await world.bob.client.post('/api/canvas/create', again)).code === 'reference-foreign';
      });
      for (const { client } of [world.alice, world.bob]) {
        expect((await client.get(`/api/file/${copy}`)).status).toBe(404);
      }
      const { session } = await openSession();
      say(session, 'tool_call_arguments', { id: 'call-1', text: JSON.stringify({ input_images: [copy] }) });
      await eventually(() => stops(session).length > 0);
    });

    test('is withheld also when it comes behind the end of another run of that session', async () => {
      const late = 'latecopy01.png';
      writeFileSync(join(world.upstream.filesDir, late), secret);
      const url = `/api/file/${late}`;
      say(place.session, 'delta', { text: 'the next run speaks' });
      say(place.session, 'image_generated', { canvas_id: place.canvas, file: { dataURL: url }, image_url: url });
      await settled();
      expect(JSON.stringify(heardBy(world.bob, place.session))).toContain('the next run speaks');
      expect(JSON.stringify(world.bob.ear.updates)).not.toContain(late);
      expect((await world.bob.client.get(url)).status).toBe(404);
    });
  });

  test('another session of the same user goes on, and so does a run with a file of one’s own', async () => {
    const [condemned, other] = [await openSession(), await openSession()];
    say(condemned.session, 'tool_call_arguments', { id: 'call-1', text: JSON.stringify([victim]) });
    const before = heardBy(world.bob, other.session).length;
    await runOf(other, own);
    await world.bob.ear.done(other.session, 4);
    const heard = heardBy(world.bob, other.session).slice(before);
    const picture = heard.find(({ type }) => type === 'image_generated');
    const answer = await world.bob.client.get(String(picture?.image_url));
    expect(answer.bytes).toEqual((await world.bob.client.get(`/api/file/${own}`)).bytes);
    expect([stops(other.session), cancels(other.session)]).toEqual([[], []]);
  });

  test('a name that nobody knows, and a path in prose, stop nothing', async () => {
    const { session } = await openSession();
    const prompt = 'a sign that says "/a/b.png", as in im_inventd.png';
    say(session, 'tool_call_arguments', { id: 'call-1', text: JSON.stringify({ prompt, input_images: ['cat.png'] }) });
    say(session, 'delta', { text: 'on it goes' });
    await eventually(() => heardBy(world.bob, session).some(({ text }) => text === 'on it goes'));
    expect([stops(session), cancels(session)]).toEqual([[], []]);
  });

  test('runs that were stopped are counted', async () => {
    const metrics = await (await fetch(`${world.gateway.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/gateway_decisions_total\{[^}]*reason="foreign-file-opened"[^}]*\} [1-9]/);
    expect(metrics).toMatch(/gateway_events_total\{outcome="dropped",because="run-condemned"\} [1-9]/);
  });
});
