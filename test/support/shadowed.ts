/** A world in which the policy looks on, and what its records say of each answer. */
import type { AuditRecord } from '../../src/model/audit.ts';
import type { Finding } from '../../src/model/finding.ts';
import { eventually } from './eventually.ts';
import { type Answer, type Client, type Ear, jaazClient, openEar } from './jaaz-client.ts';
import type { Replacement } from './policies.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

/** Turns the policy for Jaaz into one that looks on. */
export const SHADOW: Replacement = ['mode: enforce', 'mode: shadow'];

/** A record as it is written: resources are texts there. */
export type Written = Partial<Omit<AuditRecord, 'claims' | 'resources'>> & {
  readonly claims?: readonly string[];
  readonly resources?: readonly string[];
};

export interface ShadowedWorld extends World {
  /** A client that knows of no tokens. */
  readonly old: Client;
  /** Speaks to the bare server. */
  readonly direct: Client;
  /** Hears what the bare server says. */
  readonly heard: Ear;
  as(user: string, roles?: readonly string[]): Promise<Client>;
  recordOf(answer: Pick<Answer, 'headers'>): Promise<Written>;
  findings(answer: Pick<Answer, 'headers'>): Promise<readonly Finding[]>;
}

export const startShadowedWorld = async (options: WorldOptions): Promise<ShadowedWorld> => {
  const world = await startWorld({ stepMillis: 0, ...options });
  const { url } = world.gateway;
  const heard = await openEar({ url: world.upstream.url, token: undefined });
  const recordOf: ShadowedWorld['recordOf'] = async ({ headers }) => {
    const find = () => world.audit().find(({ requestId }) => requestId === headers.get('x-request-id'));
    await eventually(() => find() !== undefined);
    return find() ?? {};
  };
  return {
    ...world,
    heard,
    old: jaazClient({ url, token: undefined }),
    direct: jaazClient({ url: world.upstream.url, token: undefined }),
    as: async (user, roles = []) => jaazClient({ url, token: await world.issuer.token(user, { roles }) }),
    recordOf,
    findings: async (answer) => (await recordOf(answer)).findings ?? [],
    async close() {
      heard.close();
      await world.close();
    },
  };
};
