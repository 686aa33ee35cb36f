import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, vi } from 'vitest';
import { z } from 'zod';
import type { Log, Membership, OnAssigned } from '@dreamfold/log';
import { compileTeam, MACHINE, MemoryKeeper, SessionHost, workOn, type WorkerNews, type WorkerOptions } from '@dreamfold/runtime';
import { agent, open, tool, type AgentDefinition, type Dreamfold } from '../index.ts';
import { modelsByName } from '../models.ts';
import { collect } from './history.ts';

export const SAY = '@script [{"say":"done"}]';
export const HOLD = '@script [{"tool":"hold","input":{}},{"say":"done"}]';
export const ASK = '@script [{"tool":"ask","input":{}},{"say":"done"}]';

/** Calls of a tool that waits until the test lets it go on. */
export class Gate {
  entered = 0;
  most = 0;
  readonly keys: string[] = [];
  readonly #waiting = new Set<() => void>();
  #isOpen = false;

  async pass(key: string): Promise<string> {
    this.keys.push(key);
    this.entered += 1;
    this.most = Math.max(this.most, this.entered);
    if (!this.#isOpen) await new Promise<void>((resolve) => this.#waiting.add(resolve));
    this.entered -= 1;
    return 'passed';
  }

  letGo(): void {
    this.#isOpen = true;
    for (const resolve of this.#waiting) resolve();
  }
}

export function teamOf(gate: Gate, name = 'lead'): AgentDefinition {
  const input = z.object({});
  const hold = tool({
    name: 'hold',
    description: 'Holds.',
    input,
    effect: 'keyed',
    run: (_, { idempotencyKey }) => gate.pass(idempotencyKey),
  });
  const ask = tool({ name: 'ask', description: 'Asks.', input, effect: 'pure', policy: 'always_ask', run: () => 'asked' });
  return agent({ name, system: '', tools: [hold, ask] });
}

/** A log, a program that writes to it, and a team whose tool waits at the gate. */
export async function begin(openLog: () => Promise<Log>): Promise<{ log: Log; df: Dreamfold; gate: Gate; lead: AgentDefinition }> {
  const log = await openLog();
  const gate = new Gate();
  return { log, df: await open({ log }), gate, lead: teamOf(gate) };
}

/** A worker with a host of its own, as another process would have. */
export class TestWorker {
  readonly news: WorkerNews[] = [];
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  #assign: (partitions: readonly number[]) => void = () => {};
  hasLeft = false;

  constructor(log: Log, leads: readonly AgentDefinition[], options: Partial<WorkerOptions> & { partitions?: readonly number[] } = {}) {
    const memory = new MemoryKeeper(log);
    const host = new SessionHost({
      log,
      models: modelsByName({}),
      pinnedMemory: (pins) => memory.pinned(pins),
      ...MACHINE,
      uuid: randomUUID,
    });
    this.#partitions = options.partitions ?? [0];
    const teams = leads.map((lead) => ({ team: compileTeam(lead) }));
    const tell = (news: WorkerNews): void => void this.news.push(news);
    this.ended = workOn({ log, host, share: (onAssigned) => this.#join(onAssigned), teams, tell, signal: this.#stop.signal, ...options });
    this.ended.catch(() => null);
    running.push(this);
  }

  #partitions: readonly number[];

  async #join(onAssigned: OnAssigned): Promise<Membership> {
    this.#assign = (partitions) => onAssigned(partitions, true);
    this.#assign(this.#partitions);
    return { leave: async () => void (this.hasLeft = true) };
  }

  assign(...partitions: number[]): void {
    this.#assign(partitions);
  }

  told(type: WorkerNews['type']): string[] {
    return this.news.flatMap((one) => (one.type === type && 'session' in one ? [one.session] : []));
  }

  stop(): Promise<void> {
    this.#stop.abort();
    return this.ended;
  }
}

const running: TestWorker[] = [];
afterEach(() => Promise.all(running.splice(0).map((worker) => worker.stop().catch(() => null))));

export async function typesOf(df: Dreamfold, id: string): Promise<string[]> {
  return (await collect(df.events(id))).map(({ type }) => type);
}

export const count = (types: readonly string[], type: string): number => types.filter((one) => one === type).length;
export const quiet = (): Promise<void> => sleep(250);
export const finished = (df: Dreamfold, ids: readonly string[]): Promise<void> =>
  vi.waitFor(
    async () => {
      for (const id of ids) expect((await df.session(id)).stopReason?.type).toBe('end_turn');
    },
    { timeout: 20_000 },
  );
