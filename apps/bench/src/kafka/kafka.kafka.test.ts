import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const TINY = ['--rounds', '1', '--samples', '1', '--sample-ms', '1', '--warm-ms', '1', '--records', '2000'];

function bench(env: Record<string, string>): { status: number | null; stdout: string; stderr: string } {
  const args = ['--expose-gc', MAIN, 'kafka', '--json', ...TINY];
  return spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, ...env } });
}

const cost = expect.toSatisfy((value: unknown) => typeof value === 'number' && value > 0) as number;

test('prints one document with the figures of both drivers, and the targets', () => {
  const { status, stdout, stderr } = bench({ KAFKA_BROKERS: inject('kafkaBrokers') });
  expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining('catch-up: round 1 of 1') as string });
  const document = JSON.parse(stdout) as { targets: unknown[] };
  const ratio = { ratio: cost, cpuRatio: cost };
  const both = <T>(figures: T): Record<string, T> => ({ dreamfold: figures, platformatic: figures });
  expect(document).toMatchObject({
    bench: 'kafka',
    latency: both({ append: { median: cost }, raw: { median: cost }, ratio: cost }),
    throughput: { ratios: both({ raw: ratio, payload: ratio, plain: ratio }) },
    catchUp: { events: cost, ratios: { ...both(ratio), unsealed: ratio } },
  });
  expect(document.targets).toHaveLength(9);
});

test('without a broker it ends soon, and says which was asked', () => {
  const { status, stdout, stderr } = bench({ KAFKA_BROKERS: '127.0.0.1:1' });
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain('127.0.0.1:1');
});

test('nor without what starts one', () => {
  const { status, stdout, stderr } = bench({ KAFKA_BROKERS: '', JAVA_HOME: '/nowhere' });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/There is no broker to measure with: .*Java >= 17.*KAFKA_BROKERS/s);
});
