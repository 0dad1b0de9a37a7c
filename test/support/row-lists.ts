/** Lists for the filter of rows: a body that gives its chunks, whose the rows are, and what is shown of them. */
import type { RowsOptions } from '../../src/filter/rows.ts';
import type { ResourceKind } from '../../src/model/resource.ts';
import type { BodySink, BodySource } from '../../src/model/response.ts';

const canvas: ResourceKind = {
  name: 'canvas',
  pattern: /^[a-z0-9-]{1,64}$/,
  reserved: new Set(['mine-reserved']),
  parent: undefined,
  probe: undefined,
  url: undefined,
};

/** A body that gives its chunks one by one, stops where it is told to, and counts. */
export const feed = (chunks: readonly Buffer[], failure?: Error) => {
  const state = { given: 0, aborted: false, waiting: false };
  let sink: BodySink | undefined;
  const go = (): void => {
    state.waiting = false;
    while (sink !== undefined && !state.aborted) {
      const chunk = chunks[state.given];
      if (chunk === undefined) {
        const done = sink;
        sink = undefined;
        if (failure === undefined) done.end();
        else done.fail(failure);
        return;
      }
      state.given += 1;
      if (!sink.write(chunk)) {
        state.waiting = true;
        return;
      }
    }
  };
  const body: BodySource = {
    whole: () => undefined,
    pipe(given) {
      sink = given;
      go();
    },
    resume() {
      if (state.waiting) go();
    },
    abort() {
      state.aborted = true;
    },
  };
  return { body, state };
};

export const options = (change: Partial<RowsOptions> = {}): RowsOptions => ({
  resource: canvas,
  key: 'id',
  maxRowBytes: 1_000_000,
  owner: 'me',
  ownersOf: (refs) => refs.map(({ id }) => (id.startsWith('mine') ? 'me' : id.startsWith('new') ? undefined : 'other')),
  ...change,
});

export const late: RowsOptions['ownersOf'] = async (refs) => options().ownersOf(refs);

export const chunksOf = (text: string, size: number): Buffer[] =>
  (text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []).map((part) => Buffer.from(part));

export interface Shown {
  text: string;
  outcome: 'ended' | 'failed' | undefined;
}

export const drain = async (shown: Buffer | BodySource): Promise<Shown> => {
  if (Buffer.isBuffer(shown)) return { text: shown.toString(), outcome: 'ended' };
  return new Promise((resolve) => {
    let text = '';
    shown.pipe({
      write(chunk) {
        text += chunk.toString();
        return true;
      },
      end: () => resolve({ text, outcome: 'ended' }),
      fail: () => resolve({ text, outcome: 'failed' }),
    });
  });
};
