import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Owner } from '../../src/model/principal.ts';
import { type ResourceRef, resourceKey } from '../../src/model/resource.ts';
import { eventLife } from '../../src/pipeline/event.ts';
import { classify } from '../../src/realtime/classify.ts';
import { deliver } from '../../src/realtime/deliver.ts';
import { order } from '../../src/realtime/order.ts';
import { weigh } from '../../src/realtime/weigh.ts';
import { connectBroadcast } from '../../src/upstream/broadcast.ts';
import { canvas, eventRules, file, session, update } from '../support/session-events.ts';
import { connected, type Door, openDoor, until } from '../support/socket-door.ts';

/** An upstream that sends everything to everybody, and the whole path from it to Alice's and Bob's sockets. */
let line: Awaited<ReturnType<typeof open>>;
let door: Door;

const open = async () => {
  const http = createServer();
  const io = new Server(http, { path: '/socket.io/' });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;

  door = await openDoor();
  const owners = new Map<string, Owner>([
    ['session:alices', 'demo|alice'],
    ['canvas:alices-canvas', 'demo|alice'],
    ['session:bobs', 'demo|bob'],
    ['canvas:bobs-canvas', 'demo|bob'],
    ['file:im_bobsfile.png', 'demo|bob'],
  ]);
  const dropped: string[] = [];
  const find = async (refs: readonly ResourceRef[]) => refs.map((ref) => owners.get(resourceKey(ref)));
  const broadcast = connectBroadcast({ url: `http://127.0.0.1:${port}`, path: '/socket.io/', notice: () => undefined });
  broadcast.onEvent(
    eventLife({
      classify: classify(eventRules),
      order: order({ failed: (error) => dropped.push(String(error)) }),
      weigh,
      ownersOf: find,
      async learn(ref, _, owner) {
        const known = owners.get(resourceKey(ref));
        if (known !== undefined && known !== owner) return 'conflict';
        owners.set(resourceKey(ref), owner);
        return 'learned';
      },
      runEnded: () => undefined,
      deliver: deliver({ channels: door.channels, kinds: [canvas, session, file] }),
      count: (_, { because }) => dropped.push(because),
    }),
  );
  const heard: Record<string, string[]> = { alice: [], bob: [] };
  for (const user of ['alice', 'bob'] as const) {
    const client = door.client({ token: `${user}-token` });
    client.on('session_update', ({ text }) => heard[user]?.push(text));
    await connected(client);
  }
  await until(() => broadcast.connected());
  return { io, http, broadcast, dropped, heard, owners };
};

beforeEach(async () => {
  line = await open();
});

afterEach(async () => {
  line.broadcast.close();
  await line.io.close();
  await door.stop();
});

/** Sends an event, then one to each user; when those arrived, whatever was to be heard of the first was heard. */
const broadcasted = async (payload: unknown): Promise<void> => {
  line.io.emit('session_update', payload);
  for (const id of ['alices', 'bobs']) line.io.emit('session_update', update(id, 'delta', { text: 'end' }).payload);
  await until(() => line.heard.alice?.at(-1) === 'end' && line.heard.bob?.at(-1) === 'end');
};

describe('an event that the upstream sends to everybody', () => {
  test('is heard by its owner alone', async () => {
    await broadcasted(update('alices', 'delta', { text: 'secret', canvas_id: 'alices-canvas' }).payload);
    expect(line.heard).toEqual({ alice: ['secret', 'end'], bob: ['end'] });
  });

  test.each([
    ['of an unknown session', update('nobodys', 'delta', { text: 'secret' }).payload, 'unknown-owner'],
    ['of no session', update('', 'delta', { text: 'secret' }).payload, 'no-resource'],
    ['of the session null', update(null, 'delta', { text: 'secret' }).payload, 'no-resource'],
    ['of a list of sessions', update(['alices', 'bobs'], 'delta', { text: 'secret' }).payload, 'malformed'],
    ['of a type that is not listed', update('alices', 'surprise', { text: 'secret' }).payload, 'unlisted-type'],
    [
      "of one user's session and another's canvas",
      update('alices', 'delta', { text: 'secret', canvas_id: 'bobs-canvas' }).payload,
      'event-disagrees',
    ],
    [
      "that says another's file was made here",
      update('alices', 'image_generated', { text: 'secret', image_url: '/api/file/im_bobsfile.png' }).payload,
      'learn-conflict',
    ],
  ])('%s reaches nobody', async (_, payload, because) => {
    await broadcasted(payload);
    expect(line.heard).toEqual({ alice: ['end'], bob: ['end'] });
    expect(line.dropped).toEqual([because]);
    expect(line.owners.get('file:im_bobsfile.png')).toBe('demo|bob');
  });

  test('teaches nothing when it is text of a client', async () => {
    await broadcasted(
      update('alices', 'all_messages', { text: 'x', image_url: '/api/file/im_newfile1.png', file: { dataURL: 'x' } })
        .payload,
    );
    expect(line.owners.has('file:im_newfile1.png')).toBe(false);
  });

  test('is deeply nested, and is dropped without ending the process', async () => {
    const deep = JSON.parse(`{"a":${'['.repeat(3_000)}${']'.repeat(3_000)}}`);
    await broadcasted(update('alices', 'delta', { text: 'deep', deep }).payload);
    expect(line.heard.bob).toEqual(['end']);
  });
});
