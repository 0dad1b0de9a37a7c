import { defineConfig } from 'vitest/config';

/** Two forks: the machine for which the suite is tuned has two cores, and most tests start real servers. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
