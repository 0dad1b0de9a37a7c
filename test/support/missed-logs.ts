/** The logs of missed events with a set clock, small bounds and texts for events. */
import { expect } from 'vitest';
import type { MissedRule } from '../../src/model/event.ts';
import type { MissedLog } from '../../src/realtime/channels.ts';
import { type MissedOptions, missedEvents } from '../../src/realtime/missed.ts';

export const RULE: MissedRule = { ageMillis: 1_000, maxEvents: 5, maxBytes: 10_000 };

export const open = (options: Partial<MissedOptions> = {}) => {
  let clock = 50_000;
  const missed = missedEvents<string>({ rule: () => RULE, now: () => clock, ...options });
  const begin = (owner: string): MissedLog => {
    const log = missed.begin(owner);
    if (log === undefined) throw new Error('no log');
    return log;
  };
  return {
    missed,
    begin,
    /** A log with one socket. */
    enter(owner: string): MissedLog {
      const log = begin(owner);
      expect(missed.enter(log)).toBe(true);
      return log;
    },
    keep(log: MissedLog, text: string, bytes = text.length): void {
      missed.keep(log, { kept: text, bytes, refs: [] });
    },
    since(log: MissedLog, owner: string, offset: string | number) {
      const found = missed.since(owner, log.epoch, offset);
      return found === 'lost' ? 'lost' : found.map(({ kept }) => kept);
    },
    advance(millis: number): void {
      clock += millis;
    },
  };
};
