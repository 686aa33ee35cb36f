import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../usage-error.ts';

const SCRIPT = fileURLToPath(new URL('../../../../scripts/kafka/kafka-broker.ts', import.meta.url));

/**
 * Gives work the brokers of KAFKA_BROKERS, or else one of its own, which ends with it.
 * @param work gets `host:port[,host:port]`
 * @throws UsageError when no broker can be had
 */
export async function withBrokers<T>(work: (brokers: string) => Promise<T>): Promise<T> {
  const named = process.env['KAFKA_BROKERS'];
  if (named !== undefined && named !== '') return work(named);
  const child = spawn(process.execPath, [SCRIPT], { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    let complaint = '';
    child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
    const line = await Promise.race([firstLine(child.stdout), exited]);
    const brokers = /^DREAMFOLD_LOG=kafka:\/\/([^/]+)\//.exec(line ?? '')?.[1];
    if (brokers === undefined) {
      throw new UsageError(
        `There is no broker to measure with: ${complaint.trim()} Name one in KAFKA_BROKERS=host:port, or see pnpm kafka.`,
      );
    }
    return await work(brokers);
  } finally {
    child.kill('SIGTERM');
    await exited;
    process.off('exit', end);
  }
}

function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve) => createInterface(stream).once('line', resolve));
}
