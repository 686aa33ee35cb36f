// Three brokers with users, of whom rights and passwords change, and a network that can be cut.
import { execFileSync } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { alterUserScramCredentialsV0, Connection } from '@platformatic/kafka';
import { allow, disallow, type Grant } from './access-control.ts';
import { startKafka, type KafkaCluster } from './kafka-broker.ts';

/** The user that workers are. */
const WORKER = 'worker';
/** One end of a cable on this machine, the other in a network namespace: nothing else has these addresses. */
const HERE = '10.213.47.1';
const THERE = '10.213.47.2';
const ITERATIONS = 4096;
const SCRAM_SHA_512 = 2;
const SHA_512_BYTES = 64;

const SHARED = ['READ', 'WRITE', 'DESCRIBE_CONFIGS'];
const RIGHTS: Readonly<Record<string, readonly string[]>> = {
  ...{ events: SHARED, keys: SHARED, blobs: SHARED },
  work: ['READ', 'DESCRIBE_CONFIGS'],
};

/** `close` it. */
export class SoakCluster {
  readonly kafka: Required<KafkaCluster>;
  /** A program that runs another one where the network can be cut. */
  readonly within: readonly string[];
  readonly #namespace: string;
  readonly #cable: string;
  #password: string;

  private constructor(kafka: Required<KafkaCluster>, names: { namespace: string; cable: string }) {
    this.kafka = kafka;
    this.#namespace = names.namespace;
    this.#cable = names.cable;
    this.within = ['ip', 'netns', 'exec', this.#namespace];
    this.#password = kafka.password;
  }

  /** @throws Error where this user may make no network namespace: it takes root, and `ip` of iproute2 */
  static async open(): Promise<SoakCluster> {
    const names = { namespace: `dreamfold-${process.pid}`, cable: `df${process.pid}` };
    const { namespace, cable } = names;
    ip('netns', 'add', namespace);
    try {
      ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
      ip('address', 'add', `${HERE}/30`, 'dev', cable);
      ip('link', 'set', cable, 'up');
      for (const what of [
        ['address', 'add', `${THERE}/30`, 'dev', 'eth0'],
        ['link', 'set', 'eth0', 'up'],
        ['link', 'set', 'lo', 'up'],
      ])
        ip('-netns', namespace, ...what);
      const kafka = await startKafka({ nodes: 3, security: 'sasl_ssl', users: [WORKER], host: HERE });
      return new SoakCluster(kafka as Required<KafkaCluster>, names);
    } catch (error) {
      ip('netns', 'delete', namespace);
      throw error;
    }
  }

  /** Who workers are, by their environment. */
  get env(): Record<string, string> {
    return { DREAMFOLD_KAFKA_USERNAME: WORKER, DREAMFOLD_KAFKA_PASSWORD: this.#password, DREAMFOLD_KAFKA_CA: this.kafka.ca };
  }

  /** Gives workers what they need of a log. */
  async grant(prefix: string): Promise<void> {
    const topics = Object.entries(RIGHTS).map(([topic, operations]) => onTopic(`${prefix}.${topic}`, operations));
    const group: Grant = { user: WORKER, type: 'GROUP', name: `${prefix}.workers`, operations: ['READ'] };
    await allow({ kafka: this.kafka, grants: [...topics, group] });
  }

  /** Takes away that workers may write events, until `grant`. */
  async revoke(prefix: string): Promise<void> {
    await disallow({ kafka: this.kafka, grants: [onTopic(`${prefix}.events`, ['WRITE'])] });
  }

  /** Whoever is connected stays so. */
  async changePassword(): Promise<void> {
    const password = randomBytes(12).toString('hex');
    const { brokers, ca, username, password: own } = this.kafka;
    const [host, port] = brokers.split(',')[0]!.split(':') as [string, string];
    const sasl = { mechanism: 'SCRAM-SHA-512', username, password: own } as const;
    const connection = new Connection('soak', { tls: { ca: readFileSync(ca) }, sasl });
    await connection.connect(host, Number(port));
    const salt = randomBytes(16);
    const saltedPassword = pbkdf2Sync(password, salt, ITERATIONS, SHA_512_BYTES, 'sha512');
    const change = { name: WORKER, mechanism: SCRAM_SHA_512, iterations: ITERATIONS, salt, saltedPassword };
    await alterUserScramCredentialsV0.api.async(connection, [], [change]);
    await connection.close();
    this.#password = password;
  }

  cut(): void {
    ip('link', 'set', this.#cable, 'down');
  }

  heal(): void {
    ip('link', 'set', this.#cable, 'up');
  }

  async close(): Promise<void> {
    try {
      await this.kafka.stop({ wipe: true });
    } finally {
      ip('netns', 'delete', this.#namespace);
    }
  }
}

function onTopic(name: string, operations: readonly string[]): Grant {
  return { user: WORKER, type: 'TOPIC', name, operations };
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
