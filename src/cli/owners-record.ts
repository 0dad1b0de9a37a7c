/** The lines that a renaming of owners leaves in the audit file, beside those of the gateway that runs. */
import { randomUUID } from 'node:crypto';
import { auditLine } from '../audit/record.ts';
import { fileSink } from '../audit/sinks/file.ts';
import type { Config } from '../config/config.ts';

/** Resolves with whether all of it is written; undefined where nothing is recorded. */
export const recordDeed = async (
  { audit }: Pick<Config, 'audit'>,
  deeds: readonly string[],
  nowMillis: number,
): Promise<boolean | undefined> => {
  if (audit === undefined) return undefined;
  try {
    const sink = await fileSink({ path: audit.file, onFault: () => undefined });
    for (const detail of deeds) sink.write(auditLine(recordOf(detail, nowMillis)));
    await sink.close();
    return sink.dropped() === 0;
  } catch {
    // What was done is done: it is told that this does not tell of it.
    return false;
  }
};

const recordOf = (detail: string, nowMillis: number): Parameters<typeof auditLine>[0] => ({
  time: new Date(nowMillis).toISOString(),
  kind: 'admin',
  requestId: randomUUID(),
  outcome: 'allowed',
  detail,
  address: 'command line',
  ...{ reason: undefined, method: undefined, path: undefined, route: undefined, owner: undefined },
  ...{ resources: [], claims: [], status: undefined, upstreamStatus: undefined, stages: {}, millis: 0 },
});
