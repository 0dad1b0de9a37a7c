/** The sockets where the policy lets clients poll, and clients that do, by hand. */
import { type Poller, poller } from './poller.ts';
import { pollingRule } from './session-events.ts';
import { openDoor, until } from './socket-door.ts';

/** Alice's. */
export const token = 'alice-token';

export type PollingDoor = Awaited<ReturnType<typeof openPollingDoor>>;

export const openPollingDoor = async (options: Parameters<typeof openDoor>[0] = {}) => {
  const door = await openDoor({ rule: pollingRule, ...options });
  const pollers: Poller[] = [];
  const another = (port = door.port): Poller => {
    const one = poller(port);
    pollers.push(one);
    return one;
  };
  const client = another();
  return {
    ...door,
    /** One that is there already. */
    polls: client,
    another,
    /** Resolves with a poll that waits at the server: it went out before what is answered here. */
    async waitingPoll(sid: string, shown = token) {
      const answer = client.poll(sid, { token: shown });
      await client.post(sid, '3', { token: shown });
      return { answer };
    },
    nothingIsLeft: () => until(() => door.open() === 0 && door.count() === 0),
    tell: (text: string, owner = 'demo|alice') =>
      door.channels.send(owner, { name: 'session_update', payload: { text } }, []),
    async stop() {
      await Promise.all(pollers.map((one) => one.leave()));
      await door.stop();
    },
  };
};
