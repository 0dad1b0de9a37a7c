import type { Server } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { type AdminOptions, admin } from '../../src/server/admin.ts';
import { listen, shutDown } from '../../src/server/shutdown.ts';

let server: Server;
afterEach(() => shutDown(server, 0));

const open = async (ready = true, options: Partial<AdminOptions> = {}) => {
  server = admin({
    checks: {
      ledger: () => (ready ? Promise.resolve() : Promise.reject(new Error('secret path'))),
      upstream: () => true,
      keys: () => true,
      audit: () => true,
      redis: undefined,
    },
    scrape: async () => ({ text: 'a 1\n', contentType: 'text/plain; version=0.0.4' }),
    ...options,
  });
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  return async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  };
};

describe('the admin listener', () => {
  test('is alive', async () => {
    expect(await (await open())('/livez')).toMatchObject({ status: 200, text: '{"live":true}' });
  });

  test.each([
    [true, 200],
    [false, 503],
  ])('ready: %s is %i', async (ready, status) => {
    const answer = await (await open(ready))('/readyz');
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ ready });
    expect(answer.text).not.toContain('secret');
  });

  test('shows the metrics in their own type', async () => {
    expect(await (await open())('/metrics')).toMatchObject({
      status: 200,
      type: expect.stringContaining('text/plain; version=0.0.4'),
      text: 'a 1\n',
    });
  });

  test('says nothing of what went wrong', async () => {
    const ask = await open(true, { scrape: () => Promise.reject(new Error('secret path')) });
    expect(await ask('/metrics')).toMatchObject({ status: 500, text: '{"error":"internal"}' });
  });

  test('knows nothing else', async () => {
    const ask = await open();
    expect((await ask('/')).status).toBe(404);
    expect((await ask('/api/canvas/list')).status).toBe(404);
    expect((await ask('/livez', { method: 'POST' })).status).toBe(404);
  });
});
