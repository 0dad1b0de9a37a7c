import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

interface Entry {
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Entry> };
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, string> | undefined>;

describe('the lockfile', () => {
  // `npm ci` refuses a lockfile without them, also where they are for another platform.
  test('has an entry for every optional package that it names', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`${path}/node_modules/${name}` in packages || `node_modules/${name}` in packages),
      ),
    );
    expect(missing).toEqual([]);
  });

  test('holds no package with an install script, and no address', () => {
    const bad = Object.entries(packages).filter(([, entry]) => entry.hasInstallScript === true || entry.resolved);
    expect(bad.map(([path]) => path)).toEqual([]);
  });

  test('serves a manifest that pins every version exactly', () => {
    const sections = ['dependencies', 'devDependencies', 'optionalDependencies'];
    const versions = sections.flatMap((section) => Object.values(manifest[section] ?? {}));
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    expect(versions.length).toBeGreaterThan(20);
  });
});
