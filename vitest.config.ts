import { defineConfig } from 'vitest/config';

// A script started outside pnpm runs on the machine's own Node; node:sqlite and type stripping need 24.
if (Number(process.versions.node.split('.')[0]) < 24) {
  throw new Error(`Node ${process.versions.node} is too old: run the tests with "npx -y pnpm@12.21.0 test", which brings Node 24.`);
}

const exclude = ['**/node_modules/**', '**/dist/**'];

// One file at a time, after all others: a machine that also runs brokers has no cores to spare.
const withBroker = {
  exclude,
  globalSetup: 'scripts/kafka/shared-broker.ts',
  fileParallelism: false,
  sequence: { groupOrder: 1 },
  hookTimeout: 60_000,
};

const projects = [
  {
    extends: true as const,
    test: {
      name: 'pure',
      include: ['**/*.test.ts'],
      exclude: [...exclude, '**/*.live.test.ts', '**/*.kafka.test.ts', '**/*.faults.test.ts', '**/*.soak.test.ts'],
      // They have a budget of runs: how long those take says something of the machine, not of the code.
      testTimeout: 120_000,
    },
  },
  {
    extends: true as const,
    test: { name: 'live', include: ['**/*.live.test.ts'], exclude, testTimeout: 120_000, hookTimeout: 60_000 },
  },
  {
    extends: true as const,
    test: { name: 'kafka', include: ['**/*.kafka.test.ts'], testTimeout: 120_000, ...withBroker },
  },
];

const faults = {
  extends: true as const,
  test: { name: 'faults', include: ['**/*.faults.test.ts'], testTimeout: 3_600_000, ...withBroker },
};

const soak = { extends: true as const, test: { name: 'soak', include: ['**/*.soak.test.ts'], testTimeout: 14_400_000 } };

// The long runs have a mode of their own, `vitest run --mode faults`, so that nobody waits for them by accident; so has the longest, `soak`.
// Vitest keeps one core for itself, which of two cores is half.
export default defineConfig(({ mode }) => ({
  test: { maxWorkers: '100%', projects: { faults: [faults], soak: [soak] }[mode] ?? projects },
}));
