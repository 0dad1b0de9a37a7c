/**
 * Never two connections at once to the server behind the gateway, whatever a library thinks: a WebSocket that it gave up
 * may stay open for as long as the other side does not answer, and events would be sent to both.
 */
import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';

export interface SingleConnection {
  readonly agent: HttpAgent;
  /** Ends the connection, if there is one. */
  end(): void;
}

/** Returns an agent whose connections each end the one before. */
export const singleConnection = (protocol: string): SingleConnection => {
  // An upgraded connection is the agent's no more, so that its own bound on sockets does not hold here.
  const options: AgentOptions = { keepAlive: false };
  const agent = protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  const connect = agent.createConnection.bind(agent);
  let last: Duplex | null | undefined;
  const end = (): void => void last?.destroy();
  agent.createConnection = (to, connected) => {
    end();
    last = connect(to, connected);
    return last;
  };
  return { agent, end };
};
