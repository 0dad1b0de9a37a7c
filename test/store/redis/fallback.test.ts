import { beforeEach, expect, test } from 'vitest';
import { type FallbackNotice, withFallback } from '../../../src/store/redis/fallback.ts';

let notices: FallbackNotice[];
let attempt: ReturnType<typeof withFallback>;
beforeEach(() => {
  notices = [];
  attempt = withFallback((notice) => notices.push(notice));
});

const remote = async () => 'remote';
const local = () => 'local';
const gone = () => Promise.reject(new Error('gone'));

test('asks Redis alone while it answers, and says nothing', async () => {
  let asked = 0;
  const counted = () => {
    asked += 1;
    return 'local';
  };
  expect(await attempt(remote, counted)).toBe('remote');
  expect(asked).toBe(0);
  expect(notices).toEqual([]);
});

test('says once that this process counts alone, and once that it no longer does', async () => {
  const answers = [await attempt(gone, local), await attempt(gone, local)];
  expect(notices).toEqual([{ counting: 'local', detail: 'gone' }]);
  answers.push(await attempt(remote, local), await attempt(remote, local));
  expect(answers).toEqual(['local', 'local', 'remote', 'remote']);
  expect(notices).toMatchObject([{ counting: 'local' }, { counting: 'redis' }]);
});

test('says once what many calls find out together', async () => {
  await Promise.all(Array.from({ length: 10 }, () => attempt(gone, local)));
  expect(notices).toHaveLength(1);
  await Promise.all(Array.from({ length: 10 }, () => attempt(remote, local)));
  expect(notices).toHaveLength(2);
});

test('rejects with what this process fails at, and tells what is thrown that is no error', async () => {
  const broken = () => {
    throw new Error('broken');
  };
  await expect(attempt(() => Promise.reject('odd'), broken)).rejects.toThrow('broken');
  expect(notices).toEqual([{ counting: 'local', detail: 'odd' }]);
});
