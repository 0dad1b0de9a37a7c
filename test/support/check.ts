/** `npm run check`: format, lint, types and dead code, one line each, and the totals in the last one. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** Each is a program that npm installed, and its arguments. */
const CHECKS: ReadonlyArray<{ readonly name: string; readonly command: readonly [string, ...string[]] }> = [
  { name: 'format', command: ['@biomejs/biome/bin/biome', 'format', '--colors=off', '.'] },
  {
    name: 'lint',
    command: [
      '@biomejs/biome/bin/biome',
      'ci',
      '--colors=off',
      '--formatter-enabled=false',
      '--error-on-warnings',
      '.',
    ],
  },
  { name: 'types', command: ['typescript/bin/tsc', '--noEmit', '-p', '.'] },
  { name: 'dead code', command: ['knip/bin/knip.js', '--no-progress'] },
];

interface Outcome {
  readonly passed: boolean;
  readonly output: string;
  readonly millis: number;
}

const run = ([program, ...args]: readonly [string, ...string[]]): Promise<Outcome> =>
  new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, [join(ROOT, 'node_modules', program), ...args], {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    const end = (passed: boolean, text: string): void =>
      resolve({ passed, output: text, millis: performance.now() - started });
    child.on('error', (error) => end(false, String(error)));
    child.on('close', (code) => end(code === 0, Buffer.concat(chunks).toString()));
  });

let failed = 0;
for (const { name, command } of CHECKS) {
  const { passed, output, millis } = await run(command);
  if (!passed) failed += 1;
  process.stdout.write(`${passed ? 'ok    ' : 'failed'}  ${name} (${(millis / 1000).toFixed(1)} s)\n`);
  if (!passed) process.stdout.write(`${output.trimEnd()}\n`);
}
process.stdout.write(`${CHECKS.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
