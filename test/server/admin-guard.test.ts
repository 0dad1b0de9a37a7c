/** What the guard lets pass is in admin-policy.test.ts and admin-revocations.test.ts, where an operator meets it. */
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { adminGuard } from '../../src/server/admin-guard.ts';

const guarded = (open: readonly string[]) => {
  const routes = new Hono();
  routes.use('*', adminGuard({ host: 'admin.internal', token: 'secret' }, open));
  routes.all('/', (context) => context.text('in'));
  routes.onError((error, context) => context.text('reason' in error ? String(error.reason) : 'bug', 403));
  return async (method: string, headers: Record<string, string> = {}) => {
    const response = await routes.request('/', { method, headers: { host: 'localhost', ...headers } });
    return { text: await response.text(), cache: response.headers.get('cache-control') };
  };
};

const TOKEN = { authorization: 'Bearer secret' };

describe('the guard', () => {
  test('asks every method for the token but those that are open', async () => {
    const ask = guarded(['GET']);
    expect((await ask('GET')).text).toBe('in');
    for (const method of ['POST', 'DELETE', 'PUT', 'PATCH']) {
      expect((await ask(method)).text, method).toBe('token-missing');
      expect((await ask(method, TOKEN)).text, method).toBe('in');
    }
  });

  test('where nothing is open, asks also who only looks', async () => {
    const ask = guarded([]);
    expect((await ask('GET')).text).toBe('token-missing');
    expect((await ask('GET', { authorization: 'Bearer secreT' })).text).toBe('token-signature');
    expect((await ask('GET', TOKEN)).text).toBe('in');
  });

  test('looks at the place first, and lets nobody keep an answer', async () => {
    const ask = guarded(['GET']);
    expect((await ask('GET', { host: 'evil.example' })).text).toBe('host-unknown');
    expect((await ask('POST', { ...TOKEN, origin: 'https://evil.example' })).text).toBe('origin-refused');
    expect((await ask('POST', { host: 'evil.example' })).text).toBe('host-unknown');
    expect((await ask('GET')).cache).toBe('no-store');
  });
});
