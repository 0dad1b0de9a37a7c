/** The lists under measurement, as the server writes them: the contract's, whose rows hold pictures, and one of short rows. */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';

interface ListShape {
  readonly rows: number;
  readonly thumbnailBytes: number;
}

export const LISTS = {
  large: { rows: 1_000, thumbnailBytes: 50_000 },
  short: { rows: 100_000, thumbnailBytes: 0 },
} as const satisfies Record<string, ListShape>;

export type ListName = keyof typeof LISTS;

/** Returns the id of the canvas in a row. */
export const canvasId = (row: number): string => `canvas-${row}`;

const thumbnailOf = (bytes: number): string => {
  const head = 'data:image/png;base64,';
  return bytes === 0 ? '' : `${head}${randomBytes(bytes).toString('base64')}`.slice(0, bytes);
};

/** Writes a list to a file. */
export const writeList = (file: string, name: ListName): void => {
  const { rows, thumbnailBytes } = LISTS[name];
  const fd = openSync(file, 'w');
  for (let row = 0; row < rows; row += 1) {
    const canvas = {
      id: canvasId(row),
      name: `Canvas ${row}`,
      description: null,
      thumbnail: thumbnailOf(thumbnailBytes),
      created_at: '2026-01-02 03:04:05',
      updated_at: '2026-01-02 03:04:05',
    };
    writeSync(fd, `${row === 0 ? '[' : ','}${JSON.stringify(canvas)}`);
  }
  writeSync(fd, ']');
  closeSync(fd);
};
