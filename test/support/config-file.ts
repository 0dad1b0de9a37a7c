/** A gateway.yaml of a few words, and what becomes of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatFault } from '../../src/policy/fault.ts';

type Variables = Readonly<Record<string, string>>;

const KEYS = 'audience: jaaz, keys: { url: https://i/keys }';

/** Makes a folder for the tests of a file, and takes it away after them. */
export const configFile = () => {
  const folder = mkdtempSync(join(tmpdir(), 'config-file-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'p.yaml'), '');
  const file = join(folder, 'gateway.yaml');

  const load = (text: string, variables: Variables) => {
    const upstream = text.includes('upstream:') ? '' : 'upstream: { url: http://up:1 }\n';
    writeFileSync(file, `policies: [p.yaml]\n${upstream}${text}`);
    return loadConfig({ file, variables });
  };

  return {
    /** What is accepted needs no more than this. */
    keys: KEYS,
    issuers: `issuers: [{ name: corp, issuer: https://i, ${KEYS} }]\n`,
    /** Returns an issuer with these words besides its name. */
    issuer: (more: string): string => `issuers: [{ name: corp, issuer: https://i, ${more} }]\n`,
    configOf(text: string, variables: Variables = {}): Config {
      const loaded = load(text, variables);
      if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'));
      return loaded.config;
    },
    /** Returns the faults, without their places in the file. */
    faultsOf(text: string, variables: Variables = {}): string[] {
      const loaded = load(text, variables);
      const faults = 'faults' in loaded ? loaded.faults.map(formatFault) : [];
      return faults.map((fault) => fault.replace(/^\S*gateway.yaml:\d+:\d+: /, ''));
    },
  };
};
