import { randomUUID } from 'node:crypto';
import {
  idFrom,
  idOfStream,
  streamOf,
  type DreamReviewed,
  type EventData,
  type EventType,
  type LogEvent,
  type NewEvent,
} from '@dreamfold/events';
import { canonicalJson, evolveSession, initialSession, patchOf, type PatchStatus, type SessionState } from '@dreamfold/core';
import {
  decideDream,
  episodeOf,
  evolveDream,
  initialDream,
  type ChoiceProposal,
  type DreamState,
  type Episode,
  type JudgedInsight,
} from '@dreamfold/dreaming';
import { fold, type Log } from '@dreamfold/log';
import { sha256 } from './digest.ts';
import type { MemoryKeeper } from './memory-keeper.ts';

/** Insights in one append of the dream's stream: each may cite hundreds of events. */
const INSIGHTS_PER_APPEND = 20;

export interface DreamOptions {
  /** Name or id of the store that the dream writes to. */
  store: string;
  /** Sessions to review; default every finished one. */
  sessions?: readonly string[];
  /** Plain phrases that no memory may hold: the constitution. */
  rules?: readonly string[];
  /** Insights proposed by somebody else, which pass the same gates. */
  suggestions?: readonly ChoiceProposal[];
  onProgress?: (reviewed: number, total: number) => void;
}

export interface DreamtInsightReport extends Omit<JudgedInsight, 'operations'> {
  /** The patch that proposes it; null when a gate stopped it. */
  patchId: string | null;
  status: PatchStatus;
}

export interface DreamReport {
  dreamId: string;
  store: string;
  reviewed: DreamReviewed;
  insights: DreamtInsightReport[];
}

/** Reviews finished sessions and proposes what they teach, as patches. */
export class Dreamer {
  readonly #log: Log;
  readonly #memory: MemoryKeeper;

  constructor(log: Log, memory: MemoryKeeper) {
    this.#log = log;
    this.#memory = memory;
  }

  /**
   * Dreams once: review, refine, validate, propose. What passes the gates is applied when the store's approval is `auto`,
   * and otherwise waits for a person. A dream that finds nothing is a good dream.
   * @throws DreamfoldError not_found (the store, a session)
   */
  async dream(options: DreamOptions): Promise<DreamReport> {
    const { id: store, state } = await this.#memory.load(options.store);
    const { episodes, reviewed } = await this.#review(options);
    const dreamId = idFrom('dream', sha256(randomUUID()));
    const stream = new DreamStream(this.#log, dreamId);
    await stream.append([event('dream.started', { store_id: store, sessions: reviewed })]);
    try {
      const decision = decideDream(
        { episodes, document: state.document, rules: options.rules ?? [], suggestions: options.suggestions ?? [] },
        { sha256 },
      );
      await stream.append([event('dream.reviewed', decision.reviewed)]);
      for (let i = 0; i < decision.insights.length; i += INSIGHTS_PER_APPEND) {
        await stream.append(decision.insights.slice(i, i + INSIGHTS_PER_APPEND).flatMap(insightEvents));
      }
      if (decision.playbook.length > 0) {
        const patchId = patchIdOf(`${store}@${state.version}`, decision.playbook);
        await this.#memory.write(store, {
          patchId,
          operations: decision.playbook,
          reason: 'A place for what dreams find.',
          author: 'system',
        });
      }
      const insights: DreamtInsightReport[] = [];
      for (const judged of decision.insights) insights.push(await this.#propose(store, dreamId, judged));
      const patches = insights.flatMap(({ patchId }) => (patchId === null ? [] : [patchId]));
      await stream.append([
        event('dream.completed', {
          patch_ids: patches,
          insights: insights.length,
          rejected: insights.filter((i) => i.status === 'rejected').length,
        }),
      ]);
      return { dreamId, store, reviewed: decision.reviewed, insights };
    } catch (error) {
      await stream.append([event('dream.failed', { error: { type: (error as Error).name, message: (error as Error).message } })]);
      throw error;
    }
  }

  /** @throws DreamfoldError not_found */
  async load(dreamId: string): Promise<DreamState> {
    return fold(this.#log, streamOf('dream', dreamId), { initial: initialDream, evolve: evolveDream });
  }

  /** All dreams, oldest first. */
  async list(): Promise<{ id: string; state: DreamState }[]> {
    const dreams: { id: string; state: DreamState }[] = [];
    for await (const batch of this.#log.streams('dream')) {
      for (const { stream } of batch) dreams.push({ id: idOfStream(stream), state: await this.load(idOfStream(stream)) });
    }
    return dreams;
  }

  async #propose(store: string, dreamId: string, judged: JudgedInsight): Promise<DreamtInsightReport> {
    const { operations, ...insight } = judged;
    if (operations.length === 0) return { ...insight, patchId: null, status: 'rejected' };
    const patchId = patchIdOf(store, operations);
    const { reason, evidence, gates } = judged;
    await this.#memory.propose(store, { patchId, operations, reason, evidence, author: `dream:${dreamId}` }, gates);
    const { state } = await this.#memory.load(store);
    return { ...insight, patchId, status: patchOf(state, patchId)?.status ?? 'proposed' };
  }

  async #review(options: DreamOptions): Promise<{ episodes: Episode[]; reviewed: EventData['dream.started']['sessions'] }> {
    const ids = options.sessions ?? (await this.#sessionIds());
    const episodes: Episode[] = [];
    const reviewed: EventData['dream.started']['sessions'] = [];
    for (const [done, id] of ids.entries()) {
      const { events, state } = await this.#read(id);
      const episode = isFinished(state) ? episodeOf(events) : null;
      if (episode !== null) {
        episodes.push(episode);
        reviewed.push({ session_id: id, through_seq: state.seq });
      }
      options.onProgress?.(done + 1, ids.length);
    }
    return { episodes, reviewed };
  }

  async #sessionIds(): Promise<string[]> {
    const ids: string[] = [];
    for await (const batch of this.#log.streams('session')) ids.push(...batch.map(({ stream }) => idOfStream(stream)));
    return ids;
  }

  async #read(id: string): Promise<{ events: LogEvent[]; state: SessionState }> {
    const events: LogEvent[] = [];
    let state = initialSession(id);
    for await (const batch of this.#log.read(streamOf('session', id))) {
      for (const e of batch) {
        events.push(e);
        state = evolveSession(state, e);
      }
    }
    return { events, state };
  }
}

/** A session that is at rest and waits for nobody. */
function isFinished(state: SessionState): boolean {
  return state.exists && state.status === 'idle' && state.stopReason !== null && state.stopReason.type !== 'requires_action';
}

function event<T extends EventType>(type: T, data: EventData[T]): NewEvent {
  return { type, data, class: 'open', actor: 'system' };
}

function insightEvents({ insight, reason, evidence, gates }: JudgedInsight): NewEvent[] {
  const proposed = event('dream.insight_proposed', { insight, reason, evidence });
  return gates.every((gate) => gate.pass) ? [proposed] : [proposed, event('dream.insight_rejected', { insight_id: insight.id, gates })];
}

/** The same change of the same store is one patch, whichever dream proposes it: what a person rejected stays rejected. */
function patchIdOf(store: string, operations: JudgedInsight['operations']): string {
  return idFrom('patch', sha256(canonicalJson([store, operations])));
}

class DreamStream {
  readonly #log: Log;
  readonly #stream: string;
  #seq = 0;

  constructor(log: Log, dreamId: string) {
    this.#log = log;
    this.#stream = streamOf('dream', dreamId);
  }

  async append(events: NewEvent[]): Promise<void> {
    if (events.length === 0) return;
    const id = idFrom('event', sha256(`${this.#stream}/${this.#seq}`));
    const { head } = await this.#log.append({ stream: this.#stream, id, expected: this.#seq, events });
    this.#seq = head.seq;
  }
}
