import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { sealingSecrets } from '../src/gateway-secrets.ts';

const root = mkdtempSync(join(tmpdir(), 'secrets-'));
afterAll(() => rmSync(root, { recursive: true }));

const of = (folder: string, secrets: readonly string[] = []) =>
  sealingSecrets({
    ledger: { sqlite: join(root, folder, 'ownership.db') },
    sessions: { idleMillis: 1, lifetimeMillis: 1, store: 'ledger', secrets },
  });

describe('the sealing secret', () => {
  test('is made once, however many processes start together, and nobody else may read it', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => of('a')));
    expect(new Set(made.map(([secret]) => secret?.toString('hex'))).size).toBe(1);
    expect(made[0]?.[0]).toHaveLength(32);
    expect(readdirSync(join(root, 'a'))).toEqual(['session.secret']);
    expect(statSync(join(root, 'a', 'session.secret')).mode & 0o777).toBe(0o600);
  });

  test('is another one in another place', async () => {
    const [[one], [two]] = await Promise.all([of('b'), of('c')]);
    expect(one?.equals(two ?? Buffer.alloc(0))).toBe(false);
  });

  test('is that of the configuration where there is one, and no file is made', async () => {
    expect(await of('d', ['x'.repeat(32), 'y'.repeat(32)])).toEqual([
      Buffer.from('x'.repeat(32)),
      Buffer.from('y'.repeat(32)),
    ]);
    expect(readdirSync(root)).not.toContain('d');
  });

  test('is not taken from a file that holds something else', async () => {
    await of('e');
    writeFileSync(join(root, 'e', 'session.secret'), 'short\n');
    await expect(of('e')).rejects.toThrow(/holds no secret of 32 bytes/);
  });
});
