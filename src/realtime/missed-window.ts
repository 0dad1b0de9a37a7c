/** The last events of one owner in the order in which they were sent: a queue that can be read from anywhere in it. */
export interface Window<Event> {
  readonly size: number;
  readonly oldest: Event | undefined;
  push(event: Event): void;
  /** Takes the oldest out. */
  shift(): Event | undefined;
  /** All but the oldest `skipped` ones, oldest first. */
  after(skipped: number): readonly Event[];
}

/** As many places are left empty before what is behind them moves up. */
const MIN_EMPTY = 32;

/** Returns an empty window. Every step costs the same, however much is in it. */
export const eventWindow = <Event>(): Window<Event> => {
  let events: Array<Event | undefined> = [];
  let first = 0;
  return {
    get size() {
      return events.length - first;
    },
    get oldest() {
      return events[first];
    },
    push: (event) => void events.push(event),
    shift() {
      const event = events[first];
      if (event === undefined) return undefined;
      events[first] = undefined;
      first += 1;
      if (first >= MIN_EMPTY && first * 2 >= events.length) {
        events = events.slice(first);
        first = 0;
      }
      return event;
    },
    after: (skipped) => events.slice(first + skipped).filter((event) => event !== undefined),
  };
};
