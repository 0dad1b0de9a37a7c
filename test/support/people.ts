/** A world with people in it, each with requests and an ear of their own. */
import { eventually } from './eventually.ts';
import { type Answer, type Client, type Ear, jaazClient, openEar } from './jaaz-client.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

export interface Person {
  readonly client: Client;
  readonly ear: Ear;
  readonly token: string;
}

export interface PeopledWorld extends World {
  readonly alice: Person;
  readonly bob: Person;
  /** Speaks to the bare server, past the gateway. */
  readonly direct: Person;
  /** What arrived upstream since the mark, less the gateway's own look-ups. */
  since(mark: number): string[];
  mark(): number;
  /** Resolves with what the client was told, and what the operator was: the status, the code, and the audit's reason. */
  told(answer: Answer): Promise<[status: number, code: string | undefined, reason: unknown]>;
}

export const startPeopledWorld = async (options: WorldOptions = {}): Promise<PeopledWorld> => {
  const world = await startWorld({ stepMillis: 0, ...options });
  const person = async (url: string, token: string | undefined): Promise<Person> => ({
    client: jaazClient({ url, token }),
    ear: await openEar({ url, token }),
    token: token ?? '',
  });
  const { url } = world.gateway;
  const alice = await person(url, await world.issuer.token('alice'));
  const bob = await person(url, await world.issuer.token('bob'));
  const direct = await person(world.upstream.url, undefined);
  return {
    ...world,
    alice,
    bob,
    direct,
    mark: () => world.upstream.requests.length,
    since: (mark) =>
      world.upstream.requests
        .slice(mark)
        .filter(({ path }) => !path.startsWith('/api/list_') && !path.startsWith('/socket.io/'))
        .map(({ method, path }) => `${method} ${path}`),
    async told({ headers, status, code }) {
      const requestId = headers.get('x-request-id');
      const record = () => world.audit().find((written) => written.requestId === requestId);
      await eventually(() => record() !== undefined);
      return [status, code, record()?.reason];
    },
    async close() {
      for (const { ear } of [alice, bob, direct]) ear.close();
      await world.close();
    },
  };
};
