/** One channel of Redis, heard on a connection of its own, and the certainty of noticing when it is not heard any more. */
import type { Redis } from 'ioredis';

export interface ChannelListeners {
  readonly onMessage: (message: string) => void;
  /** From now on messages may be missed. */
  readonly onLost: () => void;
  /** From now on messages are heard; what was said before was not. */
  readonly onHeard: () => void;
}

/** A connection cut without a word shows only when it is asked; a lost one is noticed within twice this time. */
const HEARTBEAT_MILLIS = 1000;

/** Listens, over a client that is used for nothing else, until `close`. */
export function listenTo(client: Redis, channel: string, listeners: ChannelListeners): { close(): void } {
  let heard = false;
  let asked = false;

  function lose(): void {
    if (!heard) return;
    heard = false;
    listeners.onLost();
  }

  function giveUp(): void {
    lose();
    if (client.status === 'ready') client.disconnect(true);
  }

  function beat(): void {
    if (!heard) return;
    if (asked) {
      giveUp();
      return;
    }
    asked = true;
    client.ping().then(
      () => {
        asked = false;
      },
      () => undefined,
    );
  }

  client.on('ready', () => {
    client.subscribe(channel).then(() => {
      heard = true;
      asked = false;
      listeners.onHeard();
    }, giveUp);
  });
  client.on('message', (from: string, message: string) => {
    if (from === channel) listeners.onMessage(message);
  });
  client.on('close', lose);
  const timer = setInterval(beat, HEARTBEAT_MILLIS);

  return {
    close() {
      clearInterval(timer);
      client.disconnect();
    },
  };
}
