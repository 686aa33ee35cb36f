import { defineConfig } from 'vitest/config';

// A script started outside pnpm runs on the machine's own Node; node:sqlite and type stripping need 24.
if (Number(process.versions.node.split('.')[0]) < 24) {
  throw new Error(`Node ${process.versions.node} is too old: run the tests with "npx -y pnpm@12.21.0 test", which brings Node 24.`);
}

const exclude = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'pure', include: ['**/*.test.ts'], exclude: [...exclude, '**/*.live.test.ts'] },
      },
      {
        extends: true,
        test: { name: 'live', include: ['**/*.live.test.ts'], exclude, testTimeout: 120_000, hookTimeout: 60_000 },
      },
    ],
  },
});
