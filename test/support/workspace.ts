/** A system with policies/jaaz-workspace.yaml: the stand-in’s workspace is a real folder, which the tests look into. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StandIn, startStandIn } from '../../demo/jaaz/server.ts';
import { formatFault } from '../../src/policy/fault.ts';
import { parsePolicy } from '../../src/policy/load.ts';
import { type Client, jaazClient } from './jaaz-client.ts';
import { startWorld, type World } from './world.ts';

const FILE = 'policies/jaaz-workspace.yaml';
const SHIPPED_ROOT = '/srv/jaaz/user_data/workspace';

export interface WorkspaceWorld {
  readonly world: World;
  readonly upstream: StandIn;
  /** The folder around it all. */
  readonly directory: string;
  /** The policy’s root. */
  readonly root: string;
  readonly alice: Client;
  readonly bob: Client;
  readonly direct: Client;
  /** A client with a token of anybody’s. */
  client(user: string): Promise<Client>;
  close(): Promise<void>;
}

/** Starts it. `folder` is where the policy’s root is in the stand-in’s data, if not the workspace. */
export const startWorkspaceWorld = async ({ folder = 'workspace' } = {}): Promise<WorkspaceWorld> => {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-workspace-'));
  const root = join(directory, 'jaaz', folder);
  const upstream = await startStandIn({ dataDir: join(directory, 'jaaz'), stepMillis: 0, recordRequests: true });
  const world = await startWorld({ policy: workspacePolicy(root), upstreamUrl: upstream.url });
  const client = async (user: string): Promise<Client> =>
    jaazClient({ url: world.gateway.url, token: await world.issuer.token(user) });
  return {
    world,
    upstream,
    directory,
    root,
    alice: await client('alice'),
    bob: await client('bob'),
    direct: jaazClient({ url: upstream.url, token: undefined }),
    client,
    async close() {
      await world.close();
      await upstream.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

/** Returns the policy with this root; throws with its faults. */
const workspacePolicy = (root: string) => {
  const text = readFileSync(FILE, 'utf8').replace(`&root ${SHIPPED_ROOT}`, `&root ${root}`);
  const loaded = parsePolicy({ file: FILE, text });
  if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'));
  return loaded.policy;
};
