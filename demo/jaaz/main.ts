#!/usr/bin/env node
/** The stand-in as a process of its own, for demonstrations and benchmarks. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startStandIn } from './server.ts';

const USAGE =
  'usage: node demo/jaaz/main.ts [--port 57988] [--host 127.0.0.1] [--data DIR] [--step-millis 40] [--steps 0]';

const options = readOptions();
const standIn = await startStandIn({ ...options, recordRequests: false });
console.log(`stand-in for Jaaz on ${standIn.url}, data in ${options.dataDir}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    standIn.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '57988' },
        host: { type: 'string', default: '127.0.0.1' },
        data: { type: 'string' },
        'step-millis': { type: 'string', default: '40' },
        steps: { type: 'string', default: '0' },
      },
    });
    return {
      port: wholeNumber(values.port),
      host: values.host,
      dataDir: values.data ?? mkdtempSync(join(tmpdir(), 'jaaz-stand-in-')),
      stepMillis: wholeNumber(values['step-millis']),
      agentSteps: wholeNumber(values.steps),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`not a whole number: ${text}`);
  return Number(text);
}
