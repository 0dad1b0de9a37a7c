/** The clients of the bench before a server that sends everything to everybody: if they saw no leak, nobody would. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { HELD_FLAGS, heldBytes } from '../../bench/held.ts';
import { accepts, freePort, stopAll, untilItWorks } from '../../bench/processes.ts';
import type { ClientsAnswer, ClientsOrder } from '../../bench/socket-clients.ts';
import type { SendAnswer, SendOrder } from '../../bench/socket-upstream.ts';
import { startWorker } from '../../bench/worker.ts';

const folder = mkdtempSync(join(tmpdir(), 'jaaz-gateway-bench-test-'));

afterEach(async () => {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
});

describe('the clients of the bench', { timeout: 30_000 }, () => {
  test('a leak to all sockets is counted delivery by delivery, by both kinds of client', async () => {
    const port = await freePort();
    const words = ['plain', String(port), folder];
    const source = startWorker<SendOrder, SendAnswer>(1, 'socket-upstream.ts', { flags: HELD_FLAGS, words });
    await untilItWorks(source.process, () => accepts(port));
    const tokens = join(folder, 'tokens.json');
    writeFileSync(tokens, JSON.stringify(['one', 'two']));
    const clients = startWorker<ClientsOrder, ClientsAnswer>(1, 'socket-clients.ts', { words: [tokens] });

    const connected = await clients.ask({ do: 'connect', port, sockets: 20, realOneIn: 2, scope: 'own' });
    expect(connected.fault).toBeUndefined();
    await clients.ask({ do: 'listen', millis: 200 });
    const { events, sent } = await source.ask({ users: 2, eventsPerSecond: 500, millis: 200, scope: 'own' });
    const { heard, lost, fault } = await clients.ask({ do: 'report', sent });
    expect({ events, lost, fault }).toEqual({ events: 100, lost: 0, fault: undefined });
    expect(heard).toMatchObject({ deliveries: 2000, foreign: 1000, doubled: 0, overtaken: 0, unknown: 0 });
    expect(await heldBytes(source.process.child.pid ?? 0)).toBeGreaterThan(1e6);
  });

  test('a worker that ends is an error with its last words, and not a wait', async () => {
    const clients = startWorker<ClientsOrder, ClientsAnswer>(1, 'socket-clients.ts');
    await expect(clients.ask({ do: 'disconnect' })).rejects.toThrow('arguments: file');
  });
});
