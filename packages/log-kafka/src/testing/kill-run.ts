import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ReplicaStorage } from '@dreamfold/log/backend';
import type { KafkaLog } from '../kafka-log.ts';
import { openKafkaLog } from '../open-kafka-log.ts';
import { compareNodes, type Agreement } from './agreement.ts';
import { Ledger } from './ledger.ts';
import { runLoad } from './load.ts';
import { NodeProcess } from './node-process.ts';
import { seeded } from '@dreamfold/core/testing';

/** Brokers that can be killed and started again. */
export interface Brokers {
  brokers: string;
  node(id: number): { kill(): Promise<void>; start(): Promise<void> };
}

/** What is killed with `kill -9`: a broker, one of the nodes' processes, or both at the same time. */
export type Target = 'broker' | 'node' | 'both';

export interface KillRunOptions {
  cluster: Brokers;
  /** Number of brokers. Of several one is away at a time, and the others go on meanwhile; a single one is started again at once. */
  brokers: 1 | 3;
  targets: readonly Target[];
  seed: number;
  /** Holds the nodes' directories. */
  root: string;
  storage: ReplicaStorage;
  /** Module of the storage, for the nodes in other processes. */
  storageModule: string;
  prefix: string;
  pauseMs: number;
}

export interface KillRunReport extends Agreement {
  brokerKills: number;
  nodeKills: number;
  appends: number;
  duplicates: number;
  longestGapMs: number;
  lost: string[];
  twice: string[];
  unsent: string[];
}

/** Nodes of this test's processes; the first one's process is the test's own, and is not killed. */
const HERE = 'here';
const THERE = ['there-1', 'there-2'] as const;

/** After a kill each writer has to get so many acknowledgements before the next one. */
const PROGRESS = 3;
const PROGRESS_TIMEOUT_MS = 90_000;

/**
 * Three nodes write while brokers and nodes are killed at moments that follow from a seed, and start again. Then all stop, and what each
 * node holds is compared with the others', with a replica that is built from the topic, and with what was acknowledged.
 */
export async function runKills(options: KillRunOptions): Promise<KillRunReport> {
  const run = new KillRun(options);
  try {
    await run.start();
    for (const target of options.targets) await run.kill(target);
    return await run.finish();
  } finally {
    await run.end();
  }
}

class KillRun {
  readonly #o: KillRunOptions;
  readonly #random: () => number;
  readonly #ledger = new Ledger([HERE, ...THERE]);
  readonly #nodes = new Map<string, NodeProcess>();
  readonly #logs: KafkaLog[] = [];
  readonly #stop = new AbortController();
  #loadHere: Promise<void> = Promise.resolve();
  #failure: unknown = null;
  #brokerKills = 0;
  #nodeKills = 0;

  constructor(options: KillRunOptions) {
    this.#o = options;
    this.#random = seeded(options.seed);
  }

  async start(): Promise<void> {
    const log = await this.#open(HERE);
    for (const node of THERE) this.#startNode(node);
    const { signal } = this.#stop;
    const onAcknowledged = this.#ledger.record.bind(this.#ledger);
    this.#loadHere = runLoad({ log, node: HERE, next: this.#ledger.next(HERE), pauseMs: this.#o.pauseMs, signal, onAcknowledged });
    this.#loadHere.catch((error: unknown) => (this.#failure = error));
    await this.#progress();
  }

  async #open(node: string): Promise<KafkaLog> {
    const { cluster, root, storage, prefix } = this.#o;
    const url = `kafka://${cluster.brokers}/${prefix}?partitions=3`;
    const log = await openKafkaLog({ url, directory: join(root, node), storage });
    this.#logs.push(log);
    return log;
  }

  #startNode(node: string): void {
    const { cluster, root, storageModule, prefix, pauseMs } = this.#o;
    const url = `kafka://${cluster.brokers}/${prefix}?partitions=3`;
    const onAcknowledged = this.#ledger.record.bind(this.#ledger);
    const child = new NodeProcess({ url, directory: join(root, node), storage: storageModule }, onAcknowledged);
    // Read when it has opened the log, so that nothing that an earlier process was told is missing.
    child.send({ do: 'load', node, next: this.#ledger.next(node), pauseMs });
    this.#nodes.set(node, child);
  }

  async kill(target: Target): Promise<void> {
    await pause(this.#random() * 400);
    const { cluster, brokers } = this.#o;
    const broker = cluster.node(1 + Math.floor(this.#random() * brokers));
    const node = THERE[Math.floor(this.#random() * THERE.length)]!;
    const away = this.#random() * 300;
    const before = this.#random() * 30;
    const killBroker = async (): Promise<void> => {
      await broker.kill();
      this.#brokerKills += 1;
      if (brokers === 1) await startAfter(broker, away);
    };
    const killNode = async (): Promise<void> => {
      await pause(before);
      await this.#nodes.get(node)!.kill();
      this.#nodeKills += 1;
      this.#startNode(node);
    };
    await Promise.all([target === 'node' ? null : killBroker(), target === 'broker' ? null : killNode()]);
    await this.#progress();
    if (target !== 'node' && brokers > 1) await broker.start();
  }

  /** Resolves when every writer goes on. */
  async #progress(): Promise<void> {
    const before = this.#ledger.counts();
    const deadline = performance.now() + PROGRESS_TIMEOUT_MS;
    for (;;) {
      const failed = this.#failure ?? [...this.#nodes.values()].find(({ failure }) => failure !== null)?.failure;
      if (failed != null) throw failed;
      const standing = [...this.#ledger.counts()].filter(([writer, count]) => count < before.get(writer)! + PROGRESS);
      if (standing.length === 0) return;
      if (performance.now() > deadline) throw new Error(`These writers do not go on: ${standing.map(([writer]) => writer).join(', ')}`);
      await pause(20);
    }
  }

  async finish(): Promise<KillRunReport> {
    this.#stop.abort();
    await Promise.all([this.#loadHere, ...[...this.#nodes.values()].map((node) => node.stop())]);
    for (const node of [...THERE, 'rebuilt']) await this.#open(node);
    const agreement = await compareNodes(this.#logs, PROGRESS_TIMEOUT_MS);
    const { appends, duplicates, longestGapMs } = this.#ledger;
    const compared = await this.#ledger.compare(this.#logs.at(-1)!);
    return { ...agreement, ...compared, brokerKills: this.#brokerKills, nodeKills: this.#nodeKills, appends, duplicates, longestGapMs };
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#nodes.values()].map((node) => node.kill()));
    await Promise.all(this.#logs.map((log) => log.close()));
  }
}

async function startAfter(broker: { start(): Promise<void> }, ms: number): Promise<void> {
  await pause(ms);
  await broker.start();
}

/** The figures of a run, for a person. */
export function figures(report: KillRunReport): string {
  const { brokerKills, nodeKills, appends, duplicates, events, streams, lost, twice, longestGapMs } = report;
  return (
    `${brokerKills} brokers and ${nodeKills} nodes killed; ${appends} appends acknowledged (${duplicates} of them had counted before they were sent again), ` +
    `${events} events in ${streams} streams; lost ${lost.length}, twice ${twice.length}; longest wait of a writer ${(longestGapMs / 1000).toFixed(1)} s`
  );
}
