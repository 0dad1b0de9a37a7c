/** The events under measurement: which session is whose, and what an event says of when it was sent and as which one. */

export const SOCKETS_PER_USER = 10;

/** Of a whole Socket.IO packet, as it is on the wire. */
const EVENT_BYTES = 1000;

export const EVENT_NAME = 'session_update';

export const sessionOf = (user: number): string => `session-${user}`;

/** Milliseconds of a clock that all processes of this machine share. */
export const machineMillis = (): number => {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e3 + nanos / 1e6;
};

export interface SessionUpdate {
  readonly session_id: string;
  readonly canvas_id: null;
  readonly type: 'delta';
  readonly text: string;
}

const PROSE = 'The picture shows a harbour in the evening, with boats that lie still and a light on the pier. '.repeat(
  10,
);

/** Returns the event number `sequence` of its stream, stamped with the time. */
export const updateOf = (user: number, sequence: number): SessionUpdate => {
  const bare = {
    session_id: sessionOf(user),
    canvas_id: null,
    type: 'delta' as const,
    text: `${sequence} ${machineMillis().toFixed(3)} `,
  };
  const overhead = `42${JSON.stringify([EVENT_NAME, bare])}`.length;
  return { ...bare, text: bare.text + PROSE.slice(0, EVENT_BYTES - overhead) };
};

/** Returns an event's number in its stream and when it was sent, or throws a TypeError when the text says neither. */
export const readStamp = (text: string): { readonly sequence: number; readonly sentMillis: number } => {
  const first = text.indexOf(' ');
  const second = text.indexOf(' ', first + 1);
  const sequence = Number(text.slice(0, first));
  const sentMillis = Number(text.slice(first + 1, second));
  if (first < 1 || second <= first || !Number.isSafeInteger(sequence) || !(sentMillis > 0))
    throw new TypeError(`an event without a stamp: ${text.slice(0, 60)}`);
  return { sequence, sentMillis };
};
