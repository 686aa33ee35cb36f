import { seeded } from '@dreamfold/core/testing';
import { open, type AgentDefinition, type Dreamfold, type DreamReport } from 'dreamfold';
import { rounded } from '../statistics.ts';
import { routeHeldOut, scoreHeldOut } from './held-out.ts';
import type { LabelledRequest } from './request-file.ts';
import { routeRequest } from './route-request.ts';
import type { ScenarioProgress } from './scenarios/scenario.ts';
import { specialist } from './specialist.ts';

export const SESSIONS_PER_DREAM = 500;
const CUSTOMERS = 500;
const STORE = 'routing';

/** A request of a customer, with the queue that the desk says is right; null where the desk says nothing. */
export interface AskedRequest {
  text: string;
  queue: string | null;
  principal: string;
}

/** What the team knows after so many dreams. Cycle 0 is the start. */
export type Cycle = {
  dream: number;
  sessions: number;
  /** Of the held-out requests, the part that went into the right queue, from 0 to 1. */
  accuracy: number;
  withoutMemory: number;
  /** In the store, as are the cues. */
  insights: number;
  cues: number;
  /** Bytes of memory in a prompt. */
  promptBytesP50: number;
  promptBytesMax: number;
};

/** A team that routes requests, a log of its own, and the memory of its dreams. Nobody approves anything. `close` it. */
export class RoutedStream {
  sessions = 0;
  dreams = 0;
  readonly #dreamfold: Dreamfold;
  readonly #agent: AgentDefinition;
  readonly #withoutMemory = new WeakMap<readonly LabelledRequest[], number>();

  private constructor(dreamfold: Dreamfold, queues: readonly string[]) {
    this.#dreamfold = dreamfold;
    this.#agent = specialist(queues);
  }

  /** @param directory of the log; left out, it is in memory */
  static async open(queues: readonly string[], directory?: string): Promise<RoutedStream> {
    const dreamfold = await open(directory === undefined ? {} : { directory });
    await dreamfold.memory.create({ name: STORE, description: 'What feedback on routed requests has shown.', approval: 'auto' }, 'bench');
    return new RoutedStream(dreamfold, queues);
  }

  async ask(request: AskedRequest): Promise<void> {
    await routeRequest(this.#dreamfold, this.#agent, { request, memory: [STORE] });
    this.sessions += 1;
  }

  /** Asks all of it, with a dream after each full 500 sessions. @returns the start, and what each dream came to */
  async learn(
    asked: readonly AskedRequest[],
    { heldOut, progress }: { heldOut: readonly LabelledRequest[]; progress: ScenarioProgress },
  ): Promise<Cycle[]> {
    const cycles = [await this.score(heldOut)];
    for (const [i, request] of asked.entries()) {
      await this.ask(request);
      progress.step(cycles.at(-1));
      if ((i + 1) % SESSIONS_PER_DREAM > 0) continue;
      await this.dream();
      cycles.push(await this.score(heldOut));
    }
    return cycles;
  }

  async dream(options: { thorough?: boolean } = {}): Promise<DreamReport> {
    this.dreams += 1;
    return this.#dreamfold.dream({ store: STORE, ...options });
  }

  /** How well held-out requests are routed with the memory as it stands. */
  async score(heldOut: readonly LabelledRequest[]): Promise<Cycle> {
    const pinned = await this.#dreamfold.memory.pinned(await this.#dreamfold.memory.pin([STORE]));
    const { accuracy, memoryBytes } = scoreHeldOut(heldOut, this.#agent, pinned);
    const insights = pinned.flatMap(({ document }) =>
      Object.values(document.memories).flatMap((memory) => (memory.kind === 'playbook' ? Object.values(memory.insights) : [])),
    );
    return {
      dream: this.dreams,
      sessions: this.sessions,
      accuracy: rounded(accuracy, 4),
      withoutMemory: rounded(this.#withoutMemoryOn(heldOut), 4),
      insights: insights.length,
      cues: insights.reduce((sum, insight) => sum + (insight.kind === 'choice' ? insight.cues.length : 0), 0),
      promptBytesP50: Math.round(memoryBytes.p50),
      promptBytesMax: memoryBytes.max,
    };
  }

  /** The queue that each held-out request goes to with the memory as it stands. */
  async routes(heldOut: readonly LabelledRequest[]): Promise<string[]> {
    return routeHeldOut(heldOut, this.#agent, await this.#dreamfold.memory.pinned(await this.#dreamfold.memory.pin([STORE])));
  }

  #withoutMemoryOn(heldOut: readonly LabelledRequest[]): number {
    const known = this.#withoutMemory.get(heldOut);
    if (known !== undefined) return known;
    const { accuracy } = scoreHeldOut(heldOut, this.#agent, []);
    this.#withoutMemory.set(heldOut, accuracy);
    return accuracy;
  }

  /** Whether agents are told anything. */
  async hasChanged(): Promise<boolean> {
    const { state } = await this.#dreamfold.memory.load(STORE);
    return Object.values(state.document.memories).some((memory) => memory.kind === 'playbook' && Object.keys(memory.insights).length > 0);
  }

  /** Changes that dreams have proposed, and how many of them wait for a person. */
  async changes(): Promise<{ patches: number; waiting: number }> {
    const { state } = await this.#dreamfold.memory.load(STORE);
    const dreamt = [...state.patches].filter(({ proposal }) => proposal.author.startsWith('dream:'));
    const waiting = dreamt.filter(({ status }) => ['proposed', 'validated', 'approved'].includes(status));
    return { patches: dreamt.length, waiting: waiting.length };
  }

  close(): Promise<void> {
    return this.#dreamfold.close();
  }
}

/** Each request asked by one of 500 customers, drawn at random. */
export function askedBy(requests: readonly LabelledRequest[], seed: number): AskedRequest[] {
  const random = seeded(seed);
  return requests.map((request) => ({ ...request, principal: `customer-${Math.floor(random() * CUSTOMERS) + 1}` }));
}
