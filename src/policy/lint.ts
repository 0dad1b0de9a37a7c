/** Policies that load but are wrong: every judge of them, run in turn. They find what is likely a mistake, never all. */
import { eventWarnings } from './lint-events.ts';
import { learnedWarnings } from './lint-learned.ts';
import { limitWarnings } from './lint-limits.ts';
import { nameWarnings } from './lint-names.ts';
import { openWarnings } from './lint-open.ts';
import { reachWarnings } from './lint-reach.ts';
import { resourceWarnings } from './lint-resources.ts';
import type { Subject, Warning } from './lint-warning.ts';
import { webSocketWarnings } from './lint-websocket.ts';

const JUDGES: ReadonlyArray<(subject: Subject) => readonly Warning[]> = [
  reachWarnings,
  limitWarnings,
  openWarnings,
  resourceWarnings,
  learnedWarnings,
  eventWarnings,
  nameWarnings,
  webSocketWarnings,
];

/** Returns the warnings, in the order of the files and of their lines. */
export const lint = (subject: Subject): readonly Warning[] => {
  const files = subject.sources.map(({ document }) => document.file);
  return JUDGES.flatMap((judge) => judge(subject)).sort(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
};
