/** Something that is read of a provider, over time; by a clock that is handed in. */
import { expect, test } from 'vitest';
import { type Discovery, discovery } from '../../../src/authn/oidc/discovery.ts';
import { ProviderAway } from '../../../src/authn/oidc/fetch.ts';
import { eventually } from '../../support/eventually.ts';
import { type Clock, clock } from '../../support/token-issuer.ts';

interface Scene {
  readonly found: Discovery<string>;
  readonly time: Clock;
  readonly reads: () => number;
  readonly failures: string[];
  answer: () => Promise<string>;
}

const open = (): Scene => {
  const time = clock();
  const failures: string[] = [];
  let reads = 0;
  const scene: Scene = {
    time,
    failures,
    reads: () => reads,
    answer: async () => `value ${reads}`,
    found: discovery({
      read() {
        reads += 1;
        return scene.answer();
      },
      times: { refreshMillis: 60_000, staleMillis: 600_000, pauseMillis: 1000, longestPauseMillis: 5000 },
      now: time.now,
      failed: (detail) => failures.push(detail),
    }),
  };
  return scene;
};

const away = async (): Promise<string> => {
  throw new ProviderAway('answered with 503');
};

test('is read when it is first needed, once for all who need it, and then known', async () => {
  const scene = open();
  expect([scene.reads(), scene.found.known()]).toEqual([0, undefined]);
  expect(await Promise.all([scene.found.current(), scene.found.current()])).toEqual(['value 1', 'value 1']);
  expect(await scene.found.current()).toBe('value 1');
  expect([scene.reads(), scene.found.known()]).toEqual([1, 'value 1']);
});

test('is read again after a time, while nobody waits for it', async () => {
  const scene = open();
  await scene.found.current();
  scene.time.seconds += 60;
  const release = Promise.withResolvers<void>();
  scene.answer = async () => {
    await release.promise;
    return 'the next';
  };
  expect(await scene.found.current()).toBe('value 1');
  expect(await scene.found.current()).toBe('value 1');
  expect(scene.reads()).toBe(2);
  release.resolve();
  await eventually(() => scene.found.known() === 'the next');
});

test('goes on being known while it cannot be read, but not for ever', async () => {
  const scene = open();
  await scene.found.current();
  scene.answer = away;
  for (let minute = 1; minute < 10; minute += 1) {
    scene.time.seconds += 60;
    expect(await scene.found.current()).toBe('value 1');
    await eventually(() => scene.failures.length === minute);
  }
  scene.time.seconds += 60;
  expect(scene.found.known()).toBeUndefined();
  await expect(scene.found.current()).rejects.toThrow(ProviderAway);
});

test('is not asked for in a pause, which doubles up to a limit and ends with the first success', async () => {
  const scene = open();
  scene.answer = away;
  const pauses: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    await expect(scene.found.current()).rejects.toThrow('answered with 503');
    pauses.push(scene.found.pausedFor());
    await expect(scene.found.current()).rejects.toThrow('is not asked again yet: answered with 503');
    scene.time.seconds += scene.found.pausedFor() / 1000;
  }
  expect(pauses).toEqual([1000, 2000, 4000, 5000, 5000]);
  expect(scene.reads()).toBe(5);
  expect(scene.failures).toHaveLength(5);
  scene.answer = async () => 'back';
  expect(await scene.found.current()).toBe('back');
  expect(scene.found.pausedFor()).toBe(0);
});

test('a clock that was set back makes no pause longer', async () => {
  const scene = open();
  scene.answer = away;
  await expect(scene.found.current()).rejects.toThrow();
  scene.time.seconds -= 86_400;
  expect(scene.found.pausedFor()).toBe(0);
});

test('an error that is a bug is told, and is not hidden behind the provider', async () => {
  const scene = open();
  scene.answer = async () => {
    throw new TypeError('a bug');
  };
  await expect(scene.found.current()).rejects.toThrow(TypeError);
  expect(scene.failures).toEqual(['TypeError: a bug']);
});
