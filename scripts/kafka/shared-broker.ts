// Vitest's global set-up of the tests that need Kafka: one broker for all of their files.
import type { TestProject } from 'vitest/node';
import { findKafkaTools } from './kafka-distribution.ts';
import { startKafka } from './kafka-broker.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of the broker that the files share: name your topics so that no other file's are meant. */
    kafkaBrokers: string;
    /** Whether `startKafka` works here. */
    canStartKafka: boolean;
  }
}

const NO_TEST = /(?!)/;

/**
 * Provides KAFKA_BROKERS where it is set, else starts a broker. Where that can't be done, the project's tests are skipped and one line
 * says so; in CI the run then fails.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const tools = findKafkaTools();
  const external = process.env['KAFKA_BROKERS'] ?? '';
  const cluster = tools.ok && external === '' ? await startKafka() : null;
  project.provide('canStartKafka', tools.ok);
  project.provide('kafkaBrokers', cluster?.brokers ?? external);
  if (!tools.ok && external === '') {
    project.config.testNamePattern = NO_TEST;
    console.error(`kafka: not run: there is no ${tools.missing}; or set KAFKA_BROKERS=host:port`);
    if ((process.env['CI'] ?? '') !== '') process.exitCode = 1;
  }
  return async () => cluster?.stop();
}
