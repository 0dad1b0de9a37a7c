/**
 * When a signing key is made, when it signs and when it goes: each is published before it signs, so that whoever remembers
 * the key set has it by then, and after it has signed for as long as what it signed can be valid.
 */
import type { StoredSigningKey } from './store.ts';

export interface KeyTimesOfOurs {
  /** How long a key signs. */
  readonly rotateMillis: number;
  /** How long a key is published before it signs. */
  readonly leadMillis: number;
  /** How long a key is published after it has signed. */
  readonly keepMillis: number;
}

export interface Circumstances {
  readonly nowMillis: number;
  /** The algorithm that is to be used from now on. */
  readonly algorithm: string;
  /** Whether the private half of a key can be had here. */
  readonly opens: (key: StoredSigningKey) => boolean;
  readonly times: KeyTimesOfOurs;
}

export interface KeyPlan {
  /** When a key is to sign that is to be made now; undefined: none is to be made. */
  readonly signsFromMillis: number | undefined;
  readonly retire: ReadonlyArray<{ readonly id: string; readonly atMillis: number }>;
  readonly remove: readonly string[];
}

/** Returns what is to be done about the keys. It is nothing most of the time. */
export const planKeys = (keys: readonly StoredSigningKey[], circumstances: Circumstances): KeyPlan => {
  const { nowMillis, opens, times } = circumstances;
  const { rotateMillis, leadMillis, keepMillis } = times;
  const ours = inOrder(keys.filter(opens));
  const isOver = (key: StoredSigningKey): boolean => {
    if (key.retiredAtMillis !== undefined) return key.retiredAtMillis + keepMillis <= nowMillis;
    // Sealed under a secret that is not here. Another process may have it, but none lets a key sign for so long.
    return !opens(key) && key.signsFromMillis + rotateMillis + leadMillis + keepMillis <= nowMillis;
  };
  return {
    signsFromMillis: nextBegin(ours.at(-1), circumstances),
    retire: ours.flatMap(({ id, retiredAtMillis }, index) => {
      const successor = ours[index + 1];
      if (successor === undefined || retiredAtMillis !== undefined || successor.signsFromMillis > nowMillis) return [];
      return [{ id, atMillis: successor.signsFromMillis }];
    }),
    remove: keys.filter(isOver).map(({ id }) => id),
  };
};

export const isNothing = ({ signsFromMillis, retire, remove }: KeyPlan): boolean =>
  signsFromMillis === undefined && retire.length === 0 && remove.length === 0;

/** Returns the key that signs at a time, out of those that can be used here; undefined where there is none. */
export const signerAt = <Key extends Pick<StoredSigningKey, 'id' | 'signsFromMillis'>>(
  ours: readonly Key[],
  nowMillis: number,
): Key | undefined => {
  const ordered = inOrder(ours);
  return ordered.findLast(({ signsFromMillis }) => signsFromMillis <= nowMillis) ?? ordered[0];
};

const inOrder = <Key extends Pick<StoredSigningKey, 'id' | 'signsFromMillis'>>(keys: readonly Key[]): readonly Key[] =>
  [...keys].sort((one, other) => one.signsFromMillis - other.signsFromMillis || (one.id < other.id ? -1 : 1));

const nextBegin = (
  last: StoredSigningKey | undefined,
  { nowMillis, algorithm, times: { rotateMillis, leadMillis } }: Circumstances,
): number | undefined => {
  if (last === undefined) return nowMillis;
  if (last.signsFromMillis > nowMillis) return undefined;
  const due = last.algorithm === algorithm ? last.signsFromMillis + rotateMillis : nowMillis;
  return nowMillis < due - leadMillis ? undefined : Math.max(due, nowMillis + leadMillis);
};
