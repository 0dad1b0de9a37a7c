/** Variants of the policy for Jaaz, made by replacing points of its text; a replacement that finds nothing is an error. */
import { readFileSync } from 'node:fs';
import type { Policy } from '../../src/model/policy.ts';
import { formatFault } from '../../src/policy/fault.ts';
import { parsePolicy } from '../../src/policy/load.ts';

export type Replacement = readonly [found: string | RegExp, by: string];

/** Limits that no test reaches by accident. */
export const withoutLimits: readonly Replacement[] = [
  ['requests: { points: 1200,', 'requests: { points: 1000000,'],
  ['visitors: { points: 600,', 'visitors: { points: 1000000,'],
  ['failures: { points: 30,', 'failures: { points: 1000000,'],
  ['generate: { points: 30,', 'generate: { points: 1000000,'],
  ['running: { concurrent: 3,', 'running: { concurrent: 10000,'],
];

/** Returns the changed policy, or throws with its faults. */
export const jaazPolicy = (...replacements: readonly Replacement[]): Policy => {
  const loaded = parsePolicy({ file: 'a variant of jaaz.yaml', text: jaazPolicyText(...replacements) });
  if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'));
  return loaded.policy;
};

/** Returns the changed text. */
const jaazPolicyText = (...replacements: readonly Replacement[]): string => {
  let text = readFileSync('policies/jaaz.yaml', 'utf8');
  for (const [found, by] of replacements) {
    const changed = text.replace(found, by);
    if (changed === text) throw new Error(`the policy does not have ${found}`);
    text = changed;
  }
  return text;
};
