// Real Kafka brokers on this machine, without docker: for tests, and as a command (`node scripts/kafka/kafka-broker.ts --help`).
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Certificates, makeCertificates } from './certificates.ts';
import { freePorts } from './free-ports.ts';
import { fetchKafka, findKafkaTools } from './kafka-distribution.ts';
import { KafkaNode } from './kafka-node.ts';
import { type NodeSettings, serverProperties } from './node-settings.ts';
import { startupArchive } from './startup-archive.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface KafkaOptions {
  /** Default 1. */
  nodes?: 1 | 3;
  /** Where the data is, or will be; start it again with the same nodes and security. Default: a new folder of the system's temporary folder. */
  directory?: string;
  /** What clients have to speak; default `plain`. `sasl_ssl` is TLS with SCRAM-SHA-512. */
  security?: 'plain' | 'sasl_ssl';
  /** With `sasl_ssl`: further users, who have the same password and may do nothing but what ACLs grant them. The first user may do all. */
  users?: readonly string[];
  /** An address of this machine at which clients find the brokers; default 127.0.0.1. */
  host?: string;
  /** After how long a silent broker counts as dead, and a killed one may come back; default 3,000. */
  sessionTimeoutMs?: number;
}

/** Brokers of this process: they die with it, however it ends. */
export interface KafkaCluster {
  /** `host:port,host:port` */
  brokers: string;
  /** With `sasl_ssl`: the PEM file of the authority that signed the brokers' certificate, and the one user. */
  ca?: string;
  username?: string;
  password?: string;
  /** @param id 1 to `nodes`: Kafka's own id of the node */
  node(id: number): KafkaNode;
  /** Ends all nodes. Their data stays only in a directory that was given, and without `wipe`. */
  stop(options?: { wipe?: boolean }): Promise<void>;
}

export { findKafkaTools };

const LOOPBACK = '127.0.0.1';
const USER = { username: 'dreamfold', password: 'dreamfold-of-tests' };

/**
 * Starts Kafka (KRaft, each node broker and controller) on this machine; resolves when all nodes serve.
 * @throws Error that says what is missing, or with the log of the broker that did not start
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaCluster> {
  const tools = findKafkaTools();
  if (!tools.ok) throw new Error(`Kafka can't be started: there is no ${tools.missing}.`);
  const distribution = await fetchKafka(tools.java);
  const jvm = await startupArchive(distribution);
  const temporary = options.directory === undefined ? temporaryFolder(join(tmpdir(), 'dreamfold-kafka-')) : null;
  const directory = temporary?.path ?? resolve(options.directory ?? '.');
  const nodes = new Map<number, KafkaNode>();
  const stop = async ({ wipe = false }: { wipe?: boolean } = {}): Promise<void> => {
    const kept = temporary === null && !wipe;
    await Promise.all([...nodes.values()].map((node) => (kept ? node.stop() : node.kill())));
    if (!kept) rmSync(directory, { recursive: true, force: true });
    await temporary?.remove();
  };
  try {
    mkdirSync(directory, { recursive: true });
    const certificates =
      options.security === 'sasl_ssl' ? await makeCertificates(tools.java.keytool, { directory, host: options.host ?? LOOPBACK }) : null;
    const settings = await nodeSettings(directory, options, certificates);
    for (const node of settings) nodes.set(node.id, new KafkaNode({ distribution, jvm, directory: node.directory }));
    const users = [USER.username, ...(options.users ?? [])];
    await Promise.all(settings.map((node) => formatAndStart(nodes.get(node.id)!, { settings: node, users })));
    return {
      brokers: settings.map(({ host, ports }) => `${host}:${ports.client}`).join(','),
      ...(certificates === null ? {} : { ca: certificates.ca, ...USER }),
      node: (id) => {
        const node = nodes.get(id);
        if (node === undefined) throw new RangeError(`There is no node ${id}: they are 1 to ${nodes.size}.`);
        return node;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function nodeSettings(directory: string, options: KafkaOptions, certificates: Certificates | null): Promise<NodeSettings[]> {
  const { nodes = 1, sessionTimeoutMs = 3000, host = LOOPBACK } = options;
  const ports = await portsOf(directory, 3 * nodes);
  const list = Array.from({ length: nodes }, (_, index) => {
    const [client = 0, controller = 0, internal = 0] = ports.slice(3 * index);
    return { id: index + 1, ports: { client, controller, internal } };
  });
  const controllers = list.map(({ id, ports }) => `${id}@127.0.0.1:${ports.controller}`).join(',');
  const superUser = options.users === undefined ? null : USER.username;
  const common = { controllers, nodes, host, sessionTimeoutMs, superUser, keystore: certificates?.keystore ?? null };
  return list.map((node) => ({ ...node, ...common, directory: join(directory, `node-${node.id}`) }));
}

/** Those of the last time, since clients know them; or free ones. */
async function portsOf(directory: string, count: number): Promise<number[]> {
  const path = join(directory, 'ports.json');
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as number[];
  const ports = await freePorts(count);
  writeFileSync(path, JSON.stringify(ports));
  return ports;
}

async function formatAndStart(node: KafkaNode, { settings, users }: { settings: NodeSettings; users: readonly string[] }): Promise<void> {
  mkdirSync(settings.directory, { recursive: true });
  writeFileSync(join(settings.directory, 'server.properties'), serverProperties(settings));
  const scram = users.flatMap((name) => ['--add-scram', `SCRAM-SHA-512=[name=${name},password=${USER.password}]`]);
  await node.format(settings.keystore === null ? [] : scram);
  await node.start();
}

const HELP = `Starts Kafka on this machine until Ctrl-C. Needs Java >= 17 and, the first time, Maven.

  --nodes 1|3            default 1
  --security sasl_ssl    TLS and SCRAM-SHA-512; default plain
  --directory DIR        keeps the data and the ports there; default: none is kept`;

async function main(): Promise<void> {
  const string = { type: 'string' } as const;
  const { values } = parseArgs({ options: { nodes: string, security: string, directory: string, help: { type: 'boolean' } } });
  const { nodes = '1', security = 'plain', directory, help } = values;
  if (help === true) return console.log(HELP);
  if (!(nodes === '1' || nodes === '3') || !(security === 'plain' || security === 'sasl_ssl')) throw new Error(HELP);
  const cluster = await startKafka({ nodes: nodes === '3' ? 3 : 1, security, ...(directory === undefined ? {} : { directory }) });
  const end = (): void => void cluster.stop().then(() => process.exit());
  process.once('SIGINT', end).once('SIGTERM', end);
  const { brokers, ca, username, password } = cluster;
  const [user, query] = ca === undefined ? ['', ''] : [`${username}:${password}@`, `?ca=${ca}`];
  console.log(`DREAMFOLD_LOG=kafka://${user}${brokers}/dreamfold${query}`);
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error((error as Error).message);
    process.exitCode = 1;
  });
}
