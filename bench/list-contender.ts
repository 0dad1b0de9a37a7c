/**
 * One contender for one list, in a process of its own. Writes one line of figures to standard output. Arguments: the
 * contender, the list's name, its file, how many of ten rows are the caller's.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { ownershipLookup } from '../src/authz/lookup.ts';
import { keepRows } from '../src/filter/rows.ts';
import type { ResourceKind } from '../src/model/resource.ts';
import type { BodySink, BodySource } from '../src/model/response.ts';
import { nearOwnershipCache } from '../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../src/store/memory/ownership-ledger.ts';
import { canvasId, LISTS, type ListName } from './lists.ts';
import { median } from './rounds.ts';

export interface ContenderFigures {
  /** Megabytes of the list to a second of CPU: others that keep the machine busy change less of it than of the clock. */
  readonly megabytesPerSecond: number;
  readonly peakGrowthMegabytes: number;
  readonly residentGrowthMegabytes: number;
  /** From the first byte that came in to the first that went out, and to the last that came in. */
  readonly firstByteMillis: number;
  readonly lastByteInMillis: number;
  readonly lookUps: number;
  readonly shownBytes: number;
  readonly digest: string;
}

const PASSES = 5;
const CHUNK_BYTES = 65_536;
/** Not a divisor of the chunks in a batch, that no moment of one is always missed. */
const CHUNKS_PER_SAMPLE = 5;
const CALLER = 'bench|caller';

const [contender, listName, file, ownedOfTen] = process.argv.slice(2);
if (file === undefined) throw new TypeError('arguments: contender, list, file, owned of ten');
const { gc: collect } = globalThis;
if (collect === undefined) throw new TypeError('needs --expose-gc');

const canvas: ResourceKind = {
  name: 'canvas',
  pattern: /^[A-Za-z0-9_-]{1,64}$/,
  reserved: new Set(['list', 'create']),
  parent: undefined,
  probe: undefined,
  url: undefined,
};

/** What the gateway asks of an id before it asks whose it is. */
const isCanvas = (id: unknown): boolean =>
  typeof id === 'string' && canvas.pattern.test(id) && !canvas.reserved.has(id);

const { rows } = LISTS[listName as ListName];
const near = nearOwnershipCache({ maxEntries: rows, maxAgeMillis: 3_600_000 });
for (let row = 0; row < rows; row += 1) {
  const owner = row % 10 < Number(ownedOfTen) ? CALLER : `bench|other-${row}`;
  near.set({ kind: canvas.name, id: canvasId(row) }, owner, near.mark());
}
const lookup = ownershipLookup({ ledger: memoryLedger(), near, common: undefined });
let lookUps = 0;
const ownersOf: typeof lookup.ownersOf = (refs) => {
  lookUps += 1;
  return lookup.ownersOf(refs);
};

/** What a pass is given, and what it tells. */
interface Pass {
  readonly body: BodySource;
  readonly shown: (bytes: Buffer) => void;
  /** Called where much is held. */
  readonly sample: () => void;
}

const drain = (body: BodySource, write: (chunk: Buffer) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const sink: BodySink = {
      write(chunk) {
        write(chunk);
        return true;
      },
      end: resolve,
      fail: reject,
    };
    body.pipe(sink);
  });

const CONTENDERS: Readonly<Record<string, (pass: Pass) => Promise<void>>> = {
  'list-filter': async ({ body, shown }) => {
    const options = { resource: canvas, key: 'id', maxRowBytes: 64 * 2 ** 20, owner: CALLER, ownersOf };
    const kept = await keepRows(body, options);
    if (Buffer.isBuffer(kept)) shown(kept);
    else await drain(kept, shown);
  },
  'parse-filter-stringify': async ({ body, shown, sample }) => {
    const chunks: Buffer[] = [];
    await drain(body, (chunk) => chunks.push(chunk));
    const text = Buffer.concat(chunks).toString();
    sample();
    const list: Array<{ id: unknown }> = JSON.parse(text);
    const named = list.filter((row): row is { id: string } => isCanvas(row.id));
    const owners = await ownersOf(named.map(({ id }) => ({ kind: canvas.name, id })));
    const kept = named.filter((_, row) => owners[row] === CALLER);
    sample();
    shown(Buffer.from(JSON.stringify(kept)));
  },
};

const run = CONTENDERS[contender ?? ''];
if (run === undefined) throw new TypeError(`no contender ${contender}`);

/** A body that gives its chunks as fast as they are taken. */
const bodyOf = (next: () => Buffer | undefined, given: () => void): BodySource => {
  let sink: BodySink | undefined;
  const go = (): void => {
    while (sink !== undefined) {
      const chunk = next();
      if (chunk === undefined) {
        const done = sink;
        sink = undefined;
        done.end();
        return;
      }
      const more = sink.write(chunk);
      given();
      if (!more) return;
    }
  };
  return {
    whole: () => undefined,
    pipe(to) {
      sink = to;
      go();
    },
    resume: go,
    abort() {
      throw new Error('the list was given up');
    },
  };
};

const megabytes = (bytes: number): number => bytes / 1e6;

/** Passes once, every chunk new memory as a socket's are; the list itself is not in the process. */
const passFromFile = async (sample: () => void): Promise<void> => {
  const fd = openSync(file, 'r');
  let chunks = 0;
  const next = (): Buffer | undefined => {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const length = readSync(fd, chunk);
    return length === 0 ? undefined : chunk.subarray(0, length);
  };
  const given = (): void => {
    chunks += 1;
    if (chunks % CHUNKS_PER_SAMPLE === 0) sample();
  };
  await run({ body: bodyOf(next, given), shown: sample, sample });
  closeSync(fd);
};

/** Returns how far a measure rises above what it is now. */
const peakGrowth = async (measure: () => number): Promise<number> => {
  collect();
  collect();
  const idle = measure();
  let peak = 0;
  await passFromFile(() => {
    peak = Math.max(peak, measure() - idle);
  });
  return megabytes(peak);
};

const heldBytes = (): number => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

const residentGrowthMegabytes = await peakGrowth(() => process.memoryUsage.rss());
const peakGrowthMegabytes = await peakGrowth(heldBytes);

const list = readFileSync(file);

interface Timed {
  /** Of this process, in user and in kernel mode. */
  readonly cpuMicros: number;
  readonly firstByteMillis: number;
  readonly lastByteInMillis: number;
}

/** Passes once over the list in memory: what is timed is the contender and not the reading. */
const timedPass = async (shown: (bytes: Buffer) => void): Promise<Timed> => {
  let at = 0;
  let firstAt: number | undefined;
  let lastInAt = 0;
  const next = (): Buffer | undefined => {
    if (at >= list.length) return undefined;
    const chunk = list.subarray(at, at + CHUNK_BYTES);
    at += chunk.length;
    if (at >= list.length) lastInAt = performance.now();
    return chunk;
  };
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await run({
    body: bodyOf(next, () => undefined),
    shown(bytes) {
      firstAt ??= performance.now();
      shown(bytes);
    },
    sample: () => undefined,
  });
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    cpuMicros: user + system,
    firstByteMillis: (firstAt ?? lastInAt) - startedAt,
    lastByteInMillis: lastInAt - startedAt,
  };
};

const digest = createHash('sha256');
let shownBytes = 0;
lookUps = 0;
// Not timed: it warms the code up, and shows that all contenders show the same.
await timedPass((bytes) => {
  digest.update(bytes);
  shownBytes += bytes.length;
});
const figures = { lookUps, shownBytes, digest: digest.digest('hex'), peakGrowthMegabytes, residentGrowthMegabytes };
const timed: Timed[] = [];
for (let pass = 0; pass < PASSES; pass += 1) timed.push(await timedPass(() => undefined));
const all: ContenderFigures = {
  ...figures,
  megabytesPerSecond: list.length / median(timed.map(({ cpuMicros }) => cpuMicros)),
  firstByteMillis: median(timed.map(({ firstByteMillis }) => firstByteMillis)),
  lastByteInMillis: median(timed.map(({ lastByteInMillis }) => lastByteInMillis)),
};
process.stdout.write(`${JSON.stringify(all)}\n`);
