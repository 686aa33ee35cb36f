import { arg, checkMethods, functionOf, idOfStream, optionsOf, Text, type GuardReport, type Uncounted } from '@dreamfold/events';
import type { PatchStatus } from '@dreamfold/core';
import { evolveGuard, type Constitution, type GateName, type JudgedInsight, type Suggestion } from '@dreamfold/dreaming';
import type { Log } from '@dreamfold/log';
import { z } from 'zod';
import { ConstitutionShape } from '../memory/constitution-file.ts';
import type { MemoryKeeper } from '../memory/memory-keeper.ts';
import { streamsByAge } from '../worker/streams-by-age.ts';
import { DreamPerformer, type DreamParts } from './perform-dream.ts';
import { answerEvents, CALLER, namesOf, type Proposer } from './proposers.ts';
import { SessionReview } from './session-review.ts';
import { StoreDreams } from './store-dreams.ts';
import { toldDream, type ToldDream } from './told-dream.ts';
import { MACHINE, type Surroundings } from '../time/surroundings.ts';

export interface DreamOptions {
  /** Name or id of the store that the dream writes to. */
  store: string;
  /** Sessions to review; default every finished one with events that no dream of the store has reviewed. */
  sessions?: readonly string[];
  /** What the operator allows in no memory. */
  constitution?: Constitution;
  /** Insights and notes that somebody else proposes, which pass the same gates. */
  suggestions?: readonly Suggestion[];
  /** Whom the dream asks for suggestions, one after the other. */
  proposers?: readonly Proposer[];
  /** Look for insights in all that is known, however little is new. Default: when what is new pays for the look. */
  thorough?: boolean;
  onProgress?: (reviewed: number, total: number) => void;
  /** Gates that are left out: only tests do that, to show what each is good for. */
  without?: readonly GateName[];
}

export const DreamOptionsShape = optionsOf<DreamOptions>({
  store: Text,
  sessions: z.array(Text).optional(),
  constitution: ConstitutionShape.optional(),
  // One that is malformed is rejected by a gate, and stands in the report.
  suggestions: z.custom<readonly Suggestion[]>().optional(),
  proposers: z.array(z.custom<Proposer>(isProposer)).optional(),
  thorough: z.boolean().optional(),
  onProgress: functionOf<NonNullable<DreamOptions['onProgress']>>().optional(),
  without: z.array(z.custom<GateName>((name) => typeof name === 'string')).optional(),
});

export interface DreamtInsightReport extends Omit<JudgedInsight, 'operations' | 'supersedes'> {
  /** The patch that proposes it, this dream's or an earlier one's; null when a gate stopped it. */
  patchId: string | null;
  status: PatchStatus;
}

export interface DreamReport {
  dreamId: string;
  store: string;
  reviewed: { sessions: number; decisions: number; labelled: number };
  /** Feedback and lessons of what was reviewed that did not count, and why. */
  uncounted: Uncounted[];
  insights: DreamtInsightReport[];
  /** Of each field of which something is known: whether it is proved that it helps. Empty where nothing was looked at. */
  guard: readonly GuardReport[];
  /** Why there are no insights; null when there are. */
  nothing: string | null;
  /** What it cost: events read, words of labelled requests learnt, and lessons that went into fits. */
  work: { events: number; words: number; fitted: number };
}

/** Reviews finished sessions and proposes what they teach, as patches. */
export class Dreamer {
  readonly #log: Log;
  readonly #memory: MemoryKeeper;
  readonly #dreams: StoreDreams;
  /** The dream of each store that ends last. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(log: Log, memory: MemoryKeeper, surroundings: Surroundings = MACHINE) {
    this.#log = log;
    this.#memory = memory;
    this.#dreams = new StoreDreams(log, surroundings);
  }

  /**
   * Dreams once: review, refine, validate, apply. What passes the gates is applied when the store's approval is `auto` and
   * no gate leaves it to a person; otherwise it waits for one. A dream that finds nothing is a good dream. Dreams of one
   * store come one after the other. A dream that was left, because its process died, is gone on with where it was, and is what this
   * one comes to, unless more is asked for.
   * @throws DreamfoldError not_found (the store, a session), path_conflict, store_locked (a dream elsewhere is under way)
   */
  async dream(options: DreamOptions): Promise<DreamReport> {
    const id = this.#memory.idOf(options.store);
    const before = this.#last.get(id) ?? Promise.resolve();
    const dream = before.catch(() => null).then(() => this.#dream(id, options));
    this.#last.set(id, dream);
    return dream;
  }

  /** A dream as it stands, its insights with what their patches say. */
  async load(dreamId: string): Promise<ToldDream> {
    return toldDream(await this.#dreams.load(dreamId), this.#memory);
  }

  /** All dreams, oldest first. */
  async list(): Promise<{ id: string; state: ToldDream }[]> {
    const dreams: { id: string; state: ToldDream }[] = [];
    for await (const stream of streamsByAge(this.#log, 'dream')) {
      dreams.push({ id: idOfStream(stream), state: await this.load(idOfStream(stream)) });
    }
    return dreams;
  }

  /**
   * Calls off a dream that is under way, wherever it runs: its dreamer fails with head_conflict when it writes next. What it reviewed
   * is left for the next dream; what it proposed already stays.
   * @throws DreamfoldError not_found, precondition_failed (it has ended)
   */
  async cancel(dreamId: string, { by, reason }: { by: string; reason: string }): Promise<void> {
    await this.#dreams.cancel(dreamId, { by, reason });
  }

  async #dream(store: string, options: DreamOptions): Promise<DreamReport> {
    const proposers = namesOf(options.proposers ?? []);
    const review = new SessionReview(this.#log);
    const view = await this.#dreams.view(store, this.#memory, review);
    // Only now: what the dreams in view have proposed and applied is in it.
    const { state } = await this.#memory.load(options.store);
    if (view.left !== null) {
      const claim = await this.#dreams.takeOver(view.left);
      const report = claim === null ? null : await this.#perform({ review, view, claim, options, state });
      if (report !== null && !asksForMore(options)) return report;
      return this.#dream(store, options);
    }
    const { thorough = false, constitution = [], sessions, suggestions } = options;
    const claim = await this.#dreams.begin(store, view, {
      sessions,
      options: {
        ...(thorough ? { thorough } : {}),
        ...(constitution.length === 0 ? {} : { rules: constitution.length }),
        ...(proposers.length === 0 ? {} : { proposers }),
      },
      suggested: isNothing(suggestions) ? [] : answerEvents(CALLER, suggestions),
    });
    return this.#perform({ review, view, claim, options, state });
  }

  async #perform(parts: Omit<DreamParts, 'memory' | 'dreams'>): Promise<DreamReport> {
    const { claim, view } = parts;
    const { stream, started } = claim;
    let report: DreamReport;
    try {
      report = await new DreamPerformer({ memory: this.#memory, dreams: this.#dreams, ...parts }).run();
      this.#dreams.advance(view, started);
      view.guardLife = evolveGuard(view.guardLife, stream.state.refined);
    } catch (error) {
      this.#dreams.forget(started.store_id);
      const { name: type, message } = error as Error;
      // Nobody can say so when the log itself is what failed; the dream is gone on with then, when it counts as left.
      if (!stream.isLost) await stream.fail({ type, message }).catch(() => null);
      throw error;
    }
    await this.#dreams.passOver(view, claim);
    return report;
  }
}

checkMethods(Dreamer, 'dreams', {
  dream: [arg('options', DreamOptionsShape)],
  load: [arg('dreamId', Text)],
  cancel: [arg('dreamId', Text), arg('decision', optionsOf<{ by: string; reason: string }>({ by: Text, reason: z.string().max(4000) }))],
  list: [],
});

function isProposer(one: unknown): boolean {
  const { name, propose } = (one ?? {}) as Partial<Record<keyof Proposer, unknown>>;
  return typeof name === 'string' && typeof propose === 'function';
}

/** A dream that was left is not all that was asked for. */
function asksForMore({ sessions, suggestions, thorough = false }: DreamOptions): boolean {
  return sessions !== undefined || !isNothing(suggestions) || thorough;
}

function isNothing(suggestions: unknown): boolean {
  return suggestions == null || (Array.isArray(suggestions) && suggestions.length === 0);
}
