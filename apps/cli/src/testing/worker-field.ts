// Workers in processes of their own, on one log on Kafka, with sessions for them, and faults at seeded times.
import { readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '@dreamfold/core/testing';
import { knownEvent, streamOf } from '@dreamfold/events';
import { agent, open, type Dreamfold, type StreamInfo } from 'dreamfold';
import { Workspace, type Running } from './dreamfold-process.ts';
import { Phases, type Asked } from './phases.ts';

/** One call that the world cannot take twice but knows by its key, one that it can't tell from another. Both take a moment. */
const TEAM = `
import { agent, tool } from 'dreamfold';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
const input = z.object({});
const act = async (name, key) => {
  appendFileSync('effects', name + ' ' + key + '\\n');
  await sleep(20 + Math.random() * 60);
  return 'done';
};
const acts = (name, effect) =>
  tool({ name, description: name, input, effect, run: (_, { idempotencyKey }) => act(name, idempotencyKey) });
const [book, pay] = [acts('book', 'keyed'), acts('pay', 'unsafe')];
export default agent({ name: 'clerk', system: 'Act.', tools: [book, pay] });
`;
const TASK = '@script [{"tool":"book","input":{}},{"tool":"pay","input":{}},{"tool":"book","input":{}},{"say":"Done."}]';
/** Whoever submits does not run: the worker's team takes its place. */
const CLERK = agent({ name: 'clerk', system: 'Act.' });

/** The directory of a worker that is killed and started time after time. */
const LOOPER = 'node-looping';

/** The team of the workers is in a file; the one that a session is submitted with must have the same tools for its calls. */
export interface FieldOptions {
  brokers: string;
  /** Of the log's topics; default one that no other field has. */
  prefix?: string;
  workers: number;
  seed: number;
  /** Sessions that are not done at any time. */
  load: number;
  sessionTimeoutMs: number;
  /** What the address of this process has beside, where brokers want to know who it is. */
  access?: { login: string; query: string };
  /** Who workers are, when they start. */
  env?: () => Record<string, string>;
  /** The program that a worker runs within. */
  within?: (worker: number) => readonly string[];
}

/** What the faults came to, and what of the promises did not hold: `violations` is empty when all did. */
export interface FieldReport {
  kills: number;
  zombies: number;
  /** Zombies that had sessions when they were stopped. */
  busyZombies: number;
  /** Sessions that went to another worker while this one lived. */
  lost: number;
  sessions: number;
  claims: number;
  effects: number;
  /** The longest time without a session that was done, in milliseconds. */
  longestGapMs: number;
  /** From submitted to done: of nine sessions in ten, and of the slowest. */
  p90Ms: number;
  slowestMs: number;
  violations: string[];
}

interface Member {
  directory: string;
  running: Running;
  isStopped: boolean;
}

/** A field of workers; `close` it. */
export class WorkerField {
  readonly url: string;
  /** Without who this process is. */
  readonly #workersUrl: string;
  readonly workspace = new Workspace();
  readonly #o: FieldOptions;
  readonly #random: () => number;
  readonly #members: Member[] = [];
  readonly #former: Running[] = [];
  readonly #submitted: string[] = [];
  /** When each stream was submitted. */
  readonly #since = new Map<string, Asked>();
  readonly phases = new Phases();
  readonly #done = new Set<string>();
  readonly #tookMs: number[] = [];
  readonly #dreamfold: Dreamfold;
  /** Of this process. */
  readonly #scratch: Workspace;
  readonly #stop = new AbortController();
  readonly #following: Promise<void>;
  readonly #faults = { kills: 0, zombies: 0, busyZombies: 0 };
  #isFull = false;
  #lastDone = performance.now();
  #longestGapMs = 0;

  private constructor(options: FieldOptions, parts: { url: string; workersUrl: string; dreamfold: Dreamfold; scratch: Workspace }) {
    this.#o = options;
    this.#random = seeded(options.seed);
    this.url = parts.url;
    this.#workersUrl = parts.workersUrl;
    this.#dreamfold = parts.dreamfold;
    this.#scratch = parts.scratch;
    this.#following = this.#follow();
  }

  /** @returns once every worker waits for sessions */
  static async open(options: FieldOptions): Promise<WorkerField> {
    const { brokers, seed, sessionTimeoutMs, access = { login: '', query: '' }, prefix = fieldPrefix(seed) } = options;
    const place = `${brokers}/${prefix}?partitions=6&session_timeout_ms=${sessionTimeoutMs}${access.query}`;
    const url = `kafka://${access.login}${place}`;
    const scratch = new Workspace();
    const dreamfold = await open({ log: url, directory: scratch.path });
    const field = new WorkerField(options, { url, workersUrl: `kafka://${place}`, dreamfold, scratch });
    field.workspace.file('team.ts', TEAM);
    await Promise.all(Array.from({ length: options.workers }, (_, i) => field.#start(i)));
    return field;
  }

  async #start(index: number): Promise<void> {
    const directory = `node-${index}`;
    const running = this.#worker(directory, index);
    this.#members[index] = { directory, running, isStopped: false };
    const isReady = running.noted(/Waiting for sessions/).then(() => true);
    const hasEnded = running.ended.then(({ code }) => code === null);
    if (await Promise.race([isReady, hasEnded])) return;
    // The brokers were away.
    await sleep(500);
    await this.#start(index);
  }

  #worker(directory: string, index: number): Running {
    const { env = () => ({}), within = () => [] } = this.#o;
    return this.workspace.start(['worker', 'team.ts', '--log', this.#workersUrl, '--data', directory], env(), within(index));
  }

  /** Lets a worker end in order, and starts another one in its place and directory. */
  async restart(index: number): Promise<void> {
    const { running } = this.#members[index]!;
    running.kill('SIGTERM');
    await running.ended;
    this.#former.push(running);
    await this.#start(index);
  }

  /** Keeps so many sessions unfinished, until `settle`. */
  async load(): Promise<void> {
    this.#isFull = true;
    this.#lastDone = performance.now();
    for (let i = 0; i < this.#o.load; i += 1) await this.#submit();
  }

  /** Submits a session after such a pause, whether those before are done or not, until it has so many, or for so long. */
  async submitEvery(pauseMs: number, until: { count?: number; ms?: number }): Promise<void> {
    this.#lastDone = performance.now();
    const { count = Number.POSITIVE_INFINITY, ms = Number.POSITIVE_INFINITY } = until;
    const end = performance.now() + ms;
    for (let i = 0; i < count && performance.now() < end; i += 1) {
      await this.#submit();
      await sleep(pauseMs);
    }
  }

  async #submit(): Promise<void> {
    const before = performance.now();
    const id = await this.#dreamfold.submit(CLERK, TASK, { idempotencyKey: `${this.#submitted.length}` });
    this.#submitted.push(id);
    this.#since.set(streamOf('session', id), this.phases.ask(before));
  }

  async #follow(): Promise<void> {
    const { log } = this.#dreamfold;
    for await (const batch of log.subscribe({ after: await log.cursor(), signal: this.#stop.signal })) {
      for (const event of batch) {
        const known = knownEvent(event);
        const asked = this.#since.get(event.stream);
        if (known?.type === 'session.claimed') asked?.taken();
        if (known?.type !== 'session.status_idle' || known.data === null || known.data.stop_reason.type !== 'end_turn') continue;
        this.#done.add(event.stream);
        this.#tookMs.push(asked?.done() ?? 0);
        const gapMs = performance.now() - this.#lastDone;
        this.#longestGapMs = Math.max(this.#longestGapMs, gapMs);
        this.phases.gap(gapMs);
        this.#lastDone = performance.now();
        if (this.#isFull) await this.#submit();
      }
    }
  }

  /** Waits a seeded while, in which some session is under way at some point of its turn. */
  async pause(most: number): Promise<void> {
    await sleep(this.#random() * most);
  }

  /** `kill -9` of a worker, and another one in its place and directory. */
  async kill(): Promise<void> {
    const index = this.#any();
    const { running } = this.#members[index]!;
    running.kill('SIGKILL');
    await running.ended;
    this.#former.push(running);
    this.#faults.kills += 1;
    await this.#start(index);
  }

  /**
   * One more worker, which is killed after so many milliseconds and started again at once, time after time.
   * @returns what ends that
   */
  crashLoop(everyMs: number): () => Promise<void> {
    const over = new AbortController();
    const loop = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const running = this.#worker(LOOPER, -1);
        this.#former.push(running);
        await sleep(everyMs);
        running.kill('SIGKILL');
        await running.ended;
        this.#faults.kills += 1;
      }
    };
    const looping = loop();
    return () => {
      over.abort();
      return looping;
    };
  }

  /** Stops a worker for longer than the group waits for it, and lets it go on as if nothing had been. */
  async zombie(): Promise<void> {
    const member = this.#members[this.#any()]!;
    const { running } = member;
    if (underWay(running) > 0) this.#faults.busyZombies += 1;
    member.isStopped = true;
    running.kill('SIGSTOP');
    await sleep(this.#o.sessionTimeoutMs * (1.3 + this.#random()));
    running.kill('SIGCONT');
    member.isStopped = false;
    this.#faults.zombies += 1;
  }

  #any(): number {
    const there = [...this.#members.keys()].filter((i) => !this.#members[i]!.isStopped);
    return there[Math.floor(this.#random() * there.length)]!;
  }

  /** Submits no more, waits until every session is done, ends the workers, and holds what is there against the promises. */
  async settle(timeoutMs = 60_000): Promise<FieldReport> {
    this.#isFull = false;
    const violations: string[] = [];
    const until = performance.now() + timeoutMs;
    while (this.#done.size < this.#submitted.length && performance.now() < until) await sleep(50);
    for (const id of this.#submitted) if (!this.#done.has(streamOf('session', id))) violations.push(`${id} was never done`);
    for (const { running } of this.#members) running.kill('SIGTERM');
    for (const { running, directory } of this.#members) {
      const { code, stderr } = await running.ended;
      if (code !== 0) violations.push(`the worker of ${directory} ended with ${code}: ${stderr.slice(-500)}`);
    }
    const said = [...this.#former, ...this.#members.map(({ running }) => running)].map(({ stderr }) => stderr).join('\n');
    violations.push(...(said.match(/^.* failed here: .*$/gm) ?? []));
    violations.push(...(said.match(/^(?!\d{4}-\S+Z ).+$/gm) ?? []).map((line) => `a line without its time: ${line}`));
    const { claims, calls } = await this.#checkSessions(violations);
    const tookMs = this.#tookMs.toSorted((a, b) => a - b).map(Math.round);
    violations.push(...(await this.#checkReplicas()));
    return {
      ...this.#faults,
      lost: said.match(/ (?:lost|handed over): /g)?.length ?? 0,
      sessions: this.#submitted.length,
      claims,
      effects: this.#checkEffects(calls, violations),
      longestGapMs: Math.round(this.#longestGapMs),
      p90Ms: tookMs[Math.floor(tookMs.length * 0.9)] ?? 0,
      slowestMs: tookMs.at(-1) ?? 0,
      violations,
    };
  }

  /** Nobody writes as owner but who has claimed last; each call has one result. */
  async #checkSessions(violations: string[]): Promise<{ claims: number; calls: Set<string> }> {
    const calls = new Set<string>();
    let claims = 0;
    for (const id of this.#submitted) {
      let epoch = 0;
      const results = new Map<string, number>();
      for await (const batch of this.#dreamfold.log.archive.readStored(streamOf('session', id))) {
        for (const event of batch) {
          if (event.class === 'claim') {
            claims += 1;
            epoch = event.epoch;
          } else if (event.class === 'owner' && event.epoch !== epoch) {
            violations.push(`${id}#${event.seq} counts, of epoch ${event.epoch} in ${epoch}`);
          }
        }
      }
      for await (const event of this.#dreamfold.events(id)) {
        const known = knownEvent(event);
        if (known?.type === 'agent.tool_use') calls.add(event.id);
        if (known?.type === 'agent.tool_result' && known.data !== null) {
          results.set(known.data.tool_use_id, (results.get(known.data.tool_use_id) ?? 0) + 1);
        }
      }
      if (results.size !== 3 || [...results.values()].some((count) => count !== 1)) {
        violations.push(`${id} has results ${JSON.stringify([...results])}`);
      }
    }
    return { claims, calls };
  }

  #checkEffects(calls: ReadonlySet<string>, violations: string[]): number {
    const file = join(this.workspace.path, 'effects');
    const effects = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
    const paid = effects.filter((line) => line.startsWith('pay '));
    if (new Set(paid).size !== paid.length) violations.push(`${paid.length - new Set(paid).size} payments were made twice`);
    const keys = new Set(effects.map((line) => line.split(' ')[1]!));
    if (keys.size > calls.size) violations.push(`${keys.size} keys of effects for ${calls.size} calls`);
    return new Set(effects).size;
  }

  /** Each node's replica has the heads that this process has, and every hash fits. */
  async #checkReplicas(): Promise<string[]> {
    const violations: string[] = [];
    const expected = await headsOf(this.#dreamfold);
    const loopers = existsSync(join(this.workspace.path, LOOPER)) ? [LOOPER] : [];
    for (const directory of [...this.#members.map((member) => member.directory), ...loopers]) {
      const node = await open({ log: this.url, directory: join(this.workspace.path, directory) });
      if (JSON.stringify(await headsOf(node)) !== JSON.stringify(expected)) violations.push(`${directory} has other heads`);
      const { problems } = await node.log.archive.verify();
      for (const { stream, seq, problem } of problems) violations.push(`${directory}: ${stream}#${seq}: ${problem}`);
      await node.close();
    }
    return violations;
  }

  async close(): Promise<void> {
    for (const { running } of this.#members) running.kill('SIGKILL');
    this.#stop.abort();
    await this.#following;
    await this.#dreamfold.close();
    this.workspace.remove();
    this.#scratch.remove();
  }
}

async function headsOf({ log }: Dreamfold): Promise<StreamInfo[]> {
  const heads: StreamInfo[] = [];
  for await (const batch of log.streams()) heads.push(...batch);
  return heads;
}

/** Sessions that a worker has taken and not said to be rid of. */
function underWay({ stderr }: Running): number {
  const count = (pattern: RegExp): number => stderr.match(pattern)?.length ?? 0;
  return count(/ taken$/gm) - count(/ (?:end_turn|(?:lost|handed over): .*)$/gm);
}

/** Of topics that no other field has. */
function fieldPrefix(seed: number): string {
  return `field-${process.pid}-${seed}-${Date.now()}`;
}
