/** The whole demonstration as one process, as `npm start` runs it, on free ports and with a folder of its own. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../demo/process.ts';

export interface DemoProcess {
  /** The public side of the gateway, without a slash at the end. */
  readonly url: string;
  readonly adminUrl: string;
  readonly providerUrl: string;
  /** The stand-in, past the gateway. */
  readonly upstreamUrl: string;
  readonly tokens: { readonly alice: string; readonly bob: string };
  /** The audit records so far, oldest first. */
  audit(): ReadonlyArray<Readonly<Record<string, unknown>>>;
  /** Ends the authority of a user, as an operator does by command. */
  revokeUser(owner: string): Promise<void>;
  stop(): Promise<void>;
}

export const startDemo = async (): Promise<DemoProcess> => {
  const data = mkdtempSync(join(tmpdir(), 'demo-process-'));
  const ports = ['--port', '0', '--admin-port', '0', '--provider-port', '0'];
  const demo = run(['demo/main.ts', ...ports, '--data', data, '--json']);
  const told = JSON.parse(await demo.until(/\n/));
  const { port } = new URL(told.adminUrl);
  return {
    ...told,
    audit: () =>
      readFileSync(join(data, 'audit.ndjson'), 'utf8')
        .split('\n')
        // The last line may still be being written.
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
    async revokeUser(owner) {
      const words = ['revoke', 'user', owner, '--config', join(data, 'gateway.yaml'), '--admin-port', port];
      const command = run(['src/main.ts', ...words]);
      if ((await command.ended) !== 0) throw new Error(command.err());
    },
    async stop() {
      demo.child.kill('SIGTERM');
      const code = await demo.ended;
      rmSync(data, { recursive: true, force: true });
      if (code !== 0 || demo.err() !== '') throw new Error(`the demonstration ended with ${code}: ${demo.err()}`);
    },
  };
};
