/** Durations and sizes as policies and gateway.yaml write them: `500ms`, `30s`, `5m`, `1h`, `7d`; `64KiB`, `32MiB`. */
const DURATIONS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZES = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const;

export const DURATION = /^[1-9]\d{0,5}(?:ms|s|m|h|d)$/;
export const SIZE = /^[1-9]\d{0,5}(?:B|KiB|MiB|GiB)$/;

/** Returns milliseconds for a text that matches DURATION. */
export const durationMillis = (text: string): number => amount(text, DURATIONS);

/** Returns bytes for a text that matches SIZE. */
export const sizeBytes = (text: string): number => amount(text, SIZES);

const amount = (text: string, units: Readonly<Record<string, number>>): number => {
  const number = Number.parseInt(text, 10);
  const unit = units[text.replace(/^\d+/, '')];
  if (unit === undefined) throw new TypeError(`no unit in ${JSON.stringify(text)}`);
  return number * unit;
};
