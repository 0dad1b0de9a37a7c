/** The rate that a broadcast to many sockets sustains: everything arrives within a second, and nothing piles up. */
import type { Field, Stretch } from './socket-field.ts';

const MAX_P99_MILLIS = 1000;
const TRIAL_MILLIS = 3000;
const FIRST = 1;
const HIGHEST = 1024;
/** Rates that are nearer to one another are not told apart. */
const FINE_ENOUGH = 1.15;
/** What is left aside, and what is taken off when that was not enough: heartbeats fall into long stretches only. */
const LESS = 0.85;
const ATTEMPTS = 4;

/** True when all arrived in time, and what was sent late took about as long as what was sent early. */
export const isSustained = ({ heard: { p99Millis, halves }, lost }: Pick<Stretch, 'heard' | 'lost'>): boolean => {
  const [first, second] = halves;
  return lost === 0 && p99Millis < MAX_P99_MILLIS && second <= first * 1.25 + 20;
};

/** Returns a rate below the highest at which short stretches are sustained, or throws when none is. */
export const findRate = async ({ play }: Pick<Field, 'play'>, say: (line: string) => void): Promise<number> => {
  let good = 0;
  let bad = HIGHEST;
  for (let rate = FIRST; rate > good && rate < bad; ) {
    // Twice, lest a disturbance of the machine be taken for the limit.
    const sustained = isSustained(await play(rate, TRIAL_MILLIS)) || isSustained(await play(rate, TRIAL_MILLIS));
    say(`  broadcast of ${rate} events a second: ${sustained ? 'sustained' : 'too much'}`);
    if (sustained) good = rate;
    else bad = rate;
    if (bad / good < FINE_ENOUGH) break;
    rate = bad === HIGHEST ? good * 2 : Math.floor(Math.sqrt(good * bad));
  }
  if (good === 0) throw new Error('no rate is sustained');
  return good * LESS;
};

/** Plays a long stretch at a rate, or at the next lower one that is sustained; throws when none is. */
export const playSustained = async ({ play }: Pick<Field, 'play'>, from: number, millis: number): Promise<Stretch> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const stretch = await play(from * LESS ** attempt, millis);
    if (isSustained(stretch)) return stretch;
  }
  throw new Error('no rate is sustained');
};
