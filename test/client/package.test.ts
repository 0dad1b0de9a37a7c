/** The kit as it is published: built, found by its name, typed, and run by Node without anything of this repository. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../support/world.ts';

const ROOT = join(import.meta.dirname, '../..');
const TSC = join(ROOT, 'node_modules/.bin/tsc');
const folder = mkdtempSync(join(tmpdir(), 'kit-package-'));
const installed = join(folder, 'node_modules/jaaz-gateway');

let world: World;
beforeAll(async () => {
  mkdirSync(installed, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(installed, 'package.json'));
  const built = spawnSync(TSC, ['-p', join(ROOT, 'tsconfig.client.json'), '--outDir', join(installed, 'dist/client')]);
  expect([built.status, built.stdout.toString()]).toEqual([0, '']);
  world = await startWorld({ stepMillis: 0 });
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

test('it is found by its name, and speaks to a gateway', async () => {
  const program = `
    import { GatewayError, gatewayClient } from 'jaaz-gateway/client';
    const [url, token] = process.argv.slice(1);
    const told = async (client) => {
      const answer = await client.fetch('/api/canvas/list');
      return [answer.status, await answer.json()];
    };
    const refused = await told(gatewayClient({ url, token: () => 'x.y.z' })).catch((error) => error);
    console.log(JSON.stringify([await told(gatewayClient({ url, token: () => token })), refused instanceof GatewayError, refused.code]));`;
  const words = ['--input-type=module', '-e', program, world.gateway.url, await world.issuer.token('alice')];
  const child = spawn(process.execPath, words, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await once(child, 'close');
  expect(JSON.parse(said)).toEqual([[200, []], true, 'token-malformed']);
});

test('its types are found too, and say what does not fit', () => {
  symlinkSync(join(ROOT, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  const check = (options: string) => {
    writeFileSync(
      join(folder, 'page.mts'),
      `import { gatewayClient, type GatewayClient } from 'jaaz-gateway/client';
export const client: GatewayClient = gatewayClient(${options});
export const answer: Promise<Response> = client.fetch('/api/canvas/list');\n`,
    );
    const words = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', '', 'page.mts'];
    return spawnSync(TSC, words, { cwd: folder }).stdout.toString();
  };
  expect(check("{ token: () => 't' }")).toBe('');
  expect(check('{ token: 1 }')).toMatch(/error TS2322/);
});

test('it holds modules and types, and imports nothing but itself', () => {
  const names = readdirSync(join(installed, 'dist/client')).map((name) => name.replace(/\.(?:d\.ts|js)$/, ''));
  const sources = readdirSync(join(ROOT, 'client')).map((name) => name.replace(/\.ts$/, ''));
  expect([...new Set(names)].sort()).toEqual(sources.sort());
  expect(names).toHaveLength(2 * sources.length);
});
