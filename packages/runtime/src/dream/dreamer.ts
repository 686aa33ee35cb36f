import { arg, checkMethods, functionOf, idFrom, idOfStream, optionsOf, Text, type PatchOperation, type Uncounted } from '@dreamfold/events';
import { canonicalJson, patchOf, type MemoryState, type PatchStatus } from '@dreamfold/core';
import {
  decideDream,
  hasPassed,
  isDue,
  learn,
  newCounts,
  priorProposal,
  readSuggestions,
  storedValues,
  SUPERSEDED,
  TOO_LITTLE_NEW,
  whyNothing,
  type Constitution,
  type DreamDecision,
  type DreamState,
  type Episode,
  type GateName,
  type JudgedInsight,
  type Suggestion,
} from '@dreamfold/dreaming';
import type { Log } from '@dreamfold/log';
import { z } from 'zod';
import { ConstitutionShape } from '../memory/constitution-file.ts';
import { dreamEvent } from './dream-stream.ts';
import { sha256 } from '../digest.ts';
import { insightEvents } from './insight-events.ts';
import type { MemoryKeeper, Proposal } from '../memory/memory-keeper.ts';
import { SessionReview } from './session-review.ts';
import { StoreDreams, type Claim, type StoreView } from './store-dreams.ts';
import { streamsByAge } from '../worker/streams-by-age.ts';
import { systemTime } from '../time/system-time.ts';

/** Insights in one append of the dream's stream: each may cite hundreds of events. */
const INSIGHTS_PER_APPEND = 20;
const SESSIONS_PER_EVENT = 1000;
const PAGES_PER_PATCH = 40;
const PATCHES_PER_APPEND = 20;

export interface DreamOptions {
  /** Name or id of the store that the dream writes to. */
  store: string;
  /** Sessions to review; default every finished one with events that no dream of the store has reviewed. */
  sessions?: readonly string[];
  /** What the operator allows in no memory. */
  constitution?: Constitution;
  /** Insights and notes that somebody else proposes, which pass the same gates. */
  suggestions?: readonly Suggestion[];
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
  /** Why there are no insights; null when there are. */
  nothing: string | null;
  /** What it cost: events read, weights looked at in learning, pairs visited in proposing. */
  work: { events: number; updates: number; visits: number };
}

/** Reviews finished sessions and proposes what they teach, as patches. */
export class Dreamer {
  readonly #log: Log;
  readonly #memory: MemoryKeeper;
  readonly #dreams: StoreDreams;
  /** The dream of each store that ends last. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(log: Log, memory: MemoryKeeper, now: () => number = systemTime.now) {
    this.#log = log;
    this.#memory = memory;
    this.#dreams = new StoreDreams(log, now);
  }

  /**
   * Dreams once: review, refine, validate, apply. What passes the gates is applied when the store's approval is `auto` and
   * no gate leaves it to a person; otherwise it waits for one. A dream that finds nothing is a good dream. Dreams of one
   * store come one after the other.
   * @throws DreamfoldError not_found (the store, a session), path_conflict, store_locked (a dream elsewhere is under way)
   */
  async dream(options: DreamOptions): Promise<DreamReport> {
    const id = this.#memory.idOf(options.store);
    const before = this.#last.get(id) ?? Promise.resolve();
    const dream = before.catch(() => null).then(() => this.#dream(id, options));
    this.#last.set(id, dream);
    return dream;
  }

  async load(dreamId: string): Promise<DreamState> {
    return this.#dreams.load(dreamId);
  }

  /** All dreams, oldest first. */
  async list(): Promise<{ id: string; state: DreamState }[]> {
    const dreams: { id: string; state: DreamState }[] = [];
    for await (const stream of streamsByAge(this.#log, 'dream')) {
      dreams.push({ id: idOfStream(stream), state: await this.load(idOfStream(stream)) });
    }
    return dreams;
  }

  async #dream(store: string, options: DreamOptions): Promise<DreamReport> {
    const review = new SessionReview(this.#log);
    const summary = await this.#memory.load(options.store);
    const view = await this.#dreams.view(summary, review);
    const claim = await this.#dreams.begin(store, view, options.sessions);
    let report: DreamReport;
    try {
      report = await new OneDream({ memory: this.#memory, review, view, claim, options, state: summary.state }).run();
      this.#dreams.advance(view, claim.started);
    } catch (error) {
      this.#dreams.forget(store);
      const failed = { error: { type: (error as Error).name, message: (error as Error).message } };
      // Nobody can say so when the log itself is what failed; the dream counts as abandoned then.
      if (!claim.stream.isLost) await claim.stream.append(dreamEvent('dream.failed', failed)).catch(() => null);
      throw error;
    }
    await this.#dreams.passOver(view, claim);
    return report;
  }
}

checkMethods(Dreamer, 'dreams', {
  dream: [arg('options', DreamOptionsShape)],
  load: [arg('dreamId', Text)],
  list: [],
});

/** What became of one finding. */
interface Proposed {
  report: DreamtInsightReport;
  /** The patch is this dream's. */
  isNew: boolean;
}

interface Parts {
  memory: MemoryKeeper;
  review: SessionReview;
  view: StoreView;
  claim: Claim;
  options: DreamOptions;
  /** The store as it stood when the dream began. */
  state: MemoryState;
}

interface Reviewed {
  episodes: readonly Episode[];
  decisions: number;
  /** The outcomes of earlier insights, on their way to the log. */
  counted: Promise<void> | null;
}

interface Refined {
  insights: Proposed[];
  /** How many findings there were, whatever became of them. */
  found: number;
  nothing: string | null;
}

const QUIET: Refined = { insights: [], found: 0, nothing: TOO_LITTLE_NEW };

/** One dream, from its claim to its end. */
class OneDream {
  readonly #parts: Parts;
  readonly #store: string;
  readonly #before: { updates: number; visits: number };
  readonly #suggestions: ReturnType<typeof readSuggestions>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#store = parts.claim.started.store_id;
    this.#before = { ...parts.view.knowledge.work };
    this.#suggestions = readSuggestions(parts.options.suggestions ?? []);
  }

  async run(): Promise<DreamReport> {
    const { claim, memory, review, state, view } = this.#parts;
    const episodes = await this.#review();
    const { uncounted, ...reviewed } = this.#learn(episodes);
    const counts = newCounts(view.knowledge.outcomes, state);
    const isQuiet = this.#isQuiet();
    if (!isQuiet || counts.length > 0) await claim.stream.begin();
    const counted = counts.length === 0 ? null : memory.countInsights(this.#store, { dreamId: claim.dreamId, counts });
    const { insights, found, nothing } = isQuiet ? QUIET : await this.#refine({ episodes, decisions: reviewed.decisions, counted });
    const patches = insights.flatMap(({ report: { patchId }, isNew }) => (patchId === null || !isNew ? [] : [patchId]));
    const rejected = insights.filter(({ report }) => !hasPassed(report.gates)).length;
    const completed = dreamEvent('dream.completed', {
      patch_ids: [...new Set(patches)],
      insights: found,
      rejected,
      ...(uncounted.length === 0 ? {} : { uncounted }),
      ...(nothing === null ? {} : { nothing }),
    });
    // Together they are one commit.
    await Promise.all([counted, claim.stream.append(completed)]);
    const { updates, visits } = view.knowledge.work;
    return {
      dreamId: claim.dreamId,
      store: this.#store,
      reviewed,
      uncounted,
      insights: insights.map(({ report }) => report),
      nothing,
      work: { events: review.events, updates: updates - this.#before.updates, visits: visits - this.#before.visits },
    };
  }

  #review(): Promise<Episode[]> {
    const { review, claim, options } = this.#parts;
    return claim.started.sessions === undefined
      ? review.range(claim.started, options.onProgress)
      : review.named(claim.started.sessions, options.onProgress);
  }

  #learn(episodes: readonly Episode[]): DreamReport['reviewed'] & Pick<DreamReport, 'uncounted'> {
    const { claim, view, state } = this.#parts;
    const stored = storedValues(state);
    const total = { sessions: 0, decisions: 0, labelled: 0 };
    const uncounted = new Map<Uncounted['reason'], number>();
    for (let i = 0; i === 0 || i < episodes.length; i += SESSIONS_PER_EVENT) {
      const part = episodes.slice(i, i + SESSIONS_PER_EVENT);
      const learnt = part.map((episode) => learn(view.knowledge, episode, { store: this.#store, stored }));
      const decisions = learnt.reduce((sum, one) => sum + one.decisions, 0);
      const labelled = learnt.reduce((sum, one) => sum + one.labelled, 0);
      const sessions = part.map(({ session, seq }) => ({ session_id: session, through_seq: seq }));
      claim.stream.hold(dreamEvent('dream.reviewed', { sessions, decisions, labelled }));
      total.sessions += part.length;
      total.decisions += decisions;
      total.labelled += labelled;
      for (const one of learnt) for (const [reason, n] of one.uncounted) uncounted.set(reason, (uncounted.get(reason) ?? 0) + n);
    }
    // Where a person approves, principals count that are only claimed.
    if (state.store?.approval !== 'auto') uncounted.delete('claimed_principal');
    return { ...total, uncounted: [...uncounted].map(([reason, count]) => ({ reason, count })) };
  }

  /** Too little is new for a look at all that is known, and nobody has suggested anything. */
  #isQuiet(): boolean {
    const { options, view } = this.#parts;
    const { thorough = false } = options;
    return this.#suggestions.length === 0 && !thorough && !isDue([...view.knowledge.learners.values()]);
  }

  async #refine({ episodes, decisions, counted }: Reviewed): Promise<Refined> {
    await counted;
    const decision = await this.#decide(episodes);
    const insights = await this.#propose(decision);
    const { view, state } = this.#parts;
    const stands = view.proposed.size > 0 || Object.keys(state.document.memories).length > 0;
    const nothing = insights.length > 0 ? null : whyNothing(view.knowledge, { decisions, stands });
    return { insights, found: decision.insights.length, nothing };
  }

  async #decide(episodes: readonly Episode[]): Promise<DreamDecision> {
    const { memory, review, view, options } = this.#parts;
    const { constitution = [], thorough = false, without } = options;
    const suggestions = this.#suggestions;
    const { state } = await memory.load(this.#store);
    const cited = await review.cited(suggestions);
    const said = suggestions.length === 0 ? [] : [...cited.keys(), ...episodes.map(({ session }) => session)];
    return decideDream(
      {
        knowledge: view.knowledge,
        document: state.document,
        approval: state.store?.approval ?? 'manual',
        counts: state.counts,
        proposed: view.proposed.keys(),
        prior: (id) => priorProposal(state, id, view.proposed.get(id)),
        constitution,
        suggestions,
        cited,
        untrusted: await review.untrustedTexts(said),
        refine: thorough || isDue([...view.knowledge.learners.values()]),
        ...(without === undefined ? {} : { without }),
      },
      { sha256 },
    );
  }

  async #propose(decision: DreamDecision): Promise<Proposed[]> {
    const { memory, claim } = this.#parts;
    const reports: Proposed[] = decision.settled.map(({ evidence, ...settled }) => {
      const said = { change: 'add' as const, tier: 'typed' as const, claim: '', gates: [] };
      return { report: { ...settled, ...said, evidence: [...evidence] }, isNew: false };
    });
    if (decision.withdrawn.length > 0) await memory.withdraw(this.#store, decision.withdrawn, { by: 'system', reason: SUPERSEDED });
    if (decision.insights.length === 0) return reports;
    for (const part of partsOf(decision.insights, INSIGHTS_PER_APPEND)) {
      await claim.stream.append(...part.flatMap(insightEvents));
    }
    for (const [i, operations] of partsOf(decision.pages, PAGES_PER_PATCH).entries()) {
      const patchId = idFrom('patch', sha256(`${claim.dreamId}/pages/${i * PAGES_PER_PATCH}`));
      await memory.write(this.#store, { patchId, operations, reason: 'A place for what dreams find.', author: 'system' });
    }
    for (const part of partsOf(decision.insights, PATCHES_PER_APPEND)) reports.push(...(await this.#proposePart(part)));
    return reports;
  }

  async #proposePart(insights: readonly JudgedInsight[]): Promise<Proposed[]> {
    const { memory, claim, view } = this.#parts;
    const { state } = await memory.load(this.#store);
    const author = `dream:${claim.dreamId}`;
    const judged = insights.map(({ operations, supersedes, ...insight }): { insight: typeof insight; proposal: Proposal | null } => {
      if (operations.length === 0) return { insight, proposal: null };
      const { reason, evidence, gates } = insight;
      const patchId = patchIdFor(this.#store, operations, { state, dreamId: claim.dreamId });
      return { insight, proposal: { patch: { patchId, operations, reason, evidence, author }, gates, supersedes } };
    });
    const proposals = judged.flatMap(({ proposal }) => proposal ?? []);
    const statuses = await memory.propose(this.#store, proposals);
    return judged.map(({ insight, proposal }) => {
      // Without a status somebody has changed the place meanwhile; the next dream sees what it holds now.
      const status = proposal === null ? null : statuses[proposals.indexOf(proposal)]!;
      if (proposal === null || status === null) return { report: { ...insight, patchId: null, status: 'rejected' }, isNew: false };
      const { patchId } = proposal.patch;
      if (insight.change !== 'retire') view.proposed.set(insight.insight.id, patchId);
      return { report: { ...insight, patchId, status }, isNew: patchOf(state, patchId) === undefined };
    });
  }
}

/**
 * The same change of the same store is one patch, whichever dream proposes it: what a person turned down stays so. Where
 * it was applied, or made way for a newer one, and is wanted again, it is another patch.
 */
function patchIdFor(store: string, operations: readonly PatchOperation[], now: { state: MemoryState; dreamId: string }): string {
  const plain = idFrom('patch', sha256(canonicalJson([store, operations])));
  const record = patchOf(now.state, plain);
  const isPast = record?.status === 'applied' || (record?.status === 'rejected' && record.decision?.by === 'system');
  return isPast ? idFrom('patch', sha256(canonicalJson([store, operations, now.dreamId]))) : plain;
}

function partsOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
