/** A whole system in this process in which people log in at a real provider, with sessions as short as a test likes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMO_ALIAS, DEMO_AUDIENCE } from '../../demo/issuer.ts';
import { type DemoProvider, startDemoProvider } from '../../demo/provider.ts';
import type { Config } from '../../src/config/config.ts';
import { startWorld, type World } from './world.ts';

export interface LoginWorld {
  readonly world: World;
  readonly provider: DemoProvider;
  /** The public side of the gateway, without a slash at the end. */
  readonly url: string;
  readonly providerUrl: string;
  /** What the provider could not do. */
  readonly faults: readonly Error[];
  close(): Promise<void>;
}

export const startLoginWorld = async (sessions: Partial<Config['sessions']>): Promise<LoginWorld> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'login-world-'));
  const faults: Error[] = [];
  const provider = await startDemoProvider({ dataDir, port: 0, report: (error) => faults.push(error) });
  const world = await startWorld({
    config: {
      issuers: [issuerOf(provider)],
      sessions: { idleMillis: 3_600_000, lifetimeMillis: 86_400_000, store: 'ledger', secrets: [], ...sessions },
    },
  });
  provider.admit([world.gateway.url]);
  return {
    world,
    provider,
    url: world.gateway.url,
    providerUrl: provider.issuer.url,
    faults,
    async close() {
      await world.close();
      await provider.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
};

const issuerOf = ({ issuer, client }: DemoProvider): Config['issuers'][number] => ({
  name: DEMO_ALIAS,
  issuer: issuer.url,
  audience: DEMO_AUDIENCE,
  algorithms: ['RS256'],
  keys: { file: issuer.keysFile },
  claims: { user: 'sub', roles: 'roles' },
  types: ['at+jwt', 'jwt'],
  clockToleranceSeconds: 30,
  login: {
    title: 'Demonstration',
    clientId: client.id,
    clientSecret: client.secret,
    scopes: ['openid', 'profile', 'offline_access'],
    algorithms: ['RS256'],
    userinfo: false,
    graceMillis: 300_000,
  },
});
