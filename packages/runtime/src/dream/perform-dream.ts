import { idFrom, type PatchOperation, type Uncounted } from '@dreamfold/events';
import { canonicalJson, patchOf, type MemoryState } from '@dreamfold/core';
import {
  decideDream,
  decideInsights,
  learn,
  newCounts,
  priorProposal,
  proposedPatches,
  storedValues,
  SUPERSEDED,
  tooLittleNew,
  whyNothing,
  type DreamDecision,
  type DreamIntent,
  type DreamState,
  type Episode,
} from '@dreamfold/dreaming';
import { sha256 } from '../digest.ts';
import type { MemoryKeeper, Proposal } from '../memory/memory-keeper.ts';
import { dreamEvent } from './dream-stream.ts';
import type { DreamOptions, DreamReport, DreamtInsightReport } from './dreamer.ts';
import { insightEvents, type PatchRef } from './insight-events.ts';
import { askProposer } from './proposers.ts';
import type { SessionReview } from './session-review.ts';
import type { Claim, StoreDreams, StoreView } from './store-dreams.ts';

const SESSIONS_PER_EVENT = 1000;
const PAGES_PER_PATCH = 40;
/** Patches in one append of the store, and insights in one append of the dream: each may cite hundreds of events. */
const PATCHES_PER_APPEND = 20;

/** What a dream is performed with. */
export interface DreamParts {
  memory: MemoryKeeper;
  dreams: StoreDreams;
  review: SessionReview;
  view: StoreView;
  claim: Claim;
  options: DreamOptions;
  /** The store as it stood when this dreamer began, or took over. */
  state: MemoryState;
}

/** What was decided, and the store that it was decided on. */
interface Refined {
  base: MemoryState;
  decision: DreamDecision;
  /** For each insight the patch that it is to become; null for those that a gate stopped. */
  patches: (PatchRef | null)[];
  sha256: string;
}

/**
 * Performs one dream from where its stream stands to its end. What an earlier process has done of it is read from the log: its review
 * is learnt again, and what it decided is decided again, on the same memory.
 */
export class DreamPerformer {
  readonly #parts: DreamParts;
  readonly #store: string;
  readonly #before: { words: number; fitted: number };
  #episodes: readonly Episode[] = [];
  #uncounted: Uncounted[] = [];
  /** The outcomes of earlier insights, on their way to the log. */
  #counted: Promise<void> | null = null;
  #refined: Refined | null = null;
  readonly #reports: DreamtInsightReport[] = [];

  constructor(parts: DreamParts) {
    this.#parts = parts;
    this.#store = parts.claim.started.store_id;
    this.#before = { ...parts.view.knowledge.work };
  }

  get #state(): DreamState {
    return this.#parts.claim.stream.state;
  }

  /** @throws DreamfoldError head_conflict: another dreamer has taken it over; and what reading, the gates and the store throw */
  async run(): Promise<DreamReport> {
    const { claim, review, view } = this.#parts;
    await this.#recall();
    for (let next = decideDream(this.#state); next !== null; next = decideDream(this.#state)) await this.#perform(next);
    // Together they are one commit.
    await Promise.all([this.#counted, claim.stream.flush()]);
    const { words, fitted } = view.knowledge.work;
    const { sessions, decisions, labelled } = this.#state.reviewed;
    return {
      dreamId: claim.stream.dreamId,
      store: this.#store,
      reviewed: { sessions: sessions.length, decisions, labelled },
      uncounted: this.#uncounted,
      guard: this.#state.refined?.guard ?? [],
      insights: this.#reports,
      nothing: this.#state.nothing,
      work: { events: review.events, words: words - this.#before.words, fitted: fitted - this.#before.fitted },
    };
  }

  #perform(intent: DreamIntent): Promise<void> {
    switch (intent.do) {
      case 'review':
        return this.#review();
      case 'ask':
        return this.#ask(intent.proposer);
      case 'refine':
        return this.#refine(this.#isDue());
      case 'propose':
        return this.#propose(intent.from);
      case 'complete':
        return this.#complete();
    }
  }

  /** What another process has done of this dream. */
  async #recall(): Promise<void> {
    const { dreams, memory, review } = this.#parts;
    const { isReviewed, refined, settled } = this.#state;
    if (!isReviewed) return;
    const base = refined === null ? null : await memory.asOf(this.#store, refined.memory_seq);
    this.#learn(await dreams.episodes(this.#state, review), base?.state ?? this.#parts.state);
    if (refined === null || base === null) return;
    this.#refined = await this.#decide({ state: base.state, looked: refined.looked });
    // By other rules, or by another version of this program, it would not be the same dream from here on.
    if (this.#refined.sha256 !== refined.sha256) return this.#refine(refined.looked);
    await this.#report(0, settled);
  }

  async #review(): Promise<void> {
    const { review, claim, options, state } = this.#parts;
    const episodes = await (claim.started.sessions === undefined
      ? review.range(claim.started, options.onProgress)
      : review.named(claim.started.sessions, options.onProgress));
    const learnt = this.#learn(episodes, state);
    for (let i = 0; i === 0 || i < episodes.length; i += SESSIONS_PER_EVENT) {
      const part = episodes.slice(i, i + SESSIONS_PER_EVENT);
      const sum = (of: 'decisions' | 'labelled'): number => learnt.slice(i, i + part.length).reduce((all, one) => all + one[of], 0);
      const sessions = part.map(({ session, seq }) => ({ session_id: session, through_seq: seq }));
      claim.stream.hold(dreamEvent('dream.reviewed', { sessions, decisions: sum('decisions'), labelled: sum('labelled') }));
    }
  }

  #learn(episodes: readonly Episode[], memory: MemoryState): ReturnType<typeof learn>[] {
    const stored = storedValues(memory);
    const learnt = episodes.map((episode) => learn(this.#parts.view.knowledge, episode, { store: this.#store, stored }));
    const uncounted = new Map<Uncounted['reason'], number>();
    for (const one of learnt) for (const [reason, n] of one.uncounted) uncounted.set(reason, (uncounted.get(reason) ?? 0) + n);
    // Where a person approves, principals count that are only claimed.
    if (memory.store?.approval !== 'auto') uncounted.delete('claimed_principal');
    this.#episodes = episodes;
    this.#uncounted = [...uncounted].map(([reason, count]) => ({ reason, count }));
    return learnt;
  }

  async #ask(name: string): Promise<void> {
    const { claim, options, state } = this.#parts;
    if (!this.#state.requested.includes(name)) claim.stream.hold(dreamEvent('dream.proposal_requested', { proposer: name }));
    // Asking may cost money: that it was asked is known before.
    await claim.stream.flush();
    const key = sha256(`${claim.stream.dreamId}/${name}`);
    const asked = { key, episodes: this.#episodes, document: state.document };
    claim.stream.hold(...(await askProposer(options.proposers ?? [], name, asked)));
    await claim.stream.flush();
  }

  #isDue(): boolean {
    const { claim, view } = this.#parts;
    return claim.started.options?.thorough === true || view.knowledge.isDue;
  }

  /** @param looked whether to look at all that is known, or to judge only what is suggested */
  async #refine(looked: boolean): Promise<void> {
    const { claim, memory, view, state } = this.#parts;
    const counts = newCounts(view.knowledge.outcomes, state);
    if (counts.length > 0) {
      // From here on it is this dreamer's.
      await claim.stream.flush();
      this.#counted = memory.countInsights(this.#store, { dreamId: claim.stream.dreamId, counts });
    }
    if (!looked && this.#state.answers.every(({ suggestions }) => suggestions.length === 0)) {
      claim.stream.hold(
        dreamEvent('dream.completed', { patch_ids: [], insights: 0, rejected: 0, ...this.#why(tooLittleNew(view.knowledge)) }),
      );
      return;
    }
    await this.#counted;
    const newest = await memory.asOf(this.#store, 0);
    this.#refined = await this.#decide({ state: newest.state, looked });
    const { decision, sha256: digest } = this.#refined;
    const { guard } = decision;
    const refined = {
      ...{ memory_seq: newest.seq, looked, insights: decision.insights.length, sha256: digest },
      ...(guard.length === 0 ? {} : { guard }),
    };
    claim.stream.hold(dreamEvent('dream.refined', refined));
  }

  async #decide({ state, looked }: { state: MemoryState; looked: boolean }): Promise<Refined> {
    const { review, view, options } = this.#parts;
    const suggestions = this.#state.answers.flatMap((answer) => answer.suggestions);
    const cited = await review.cited(suggestions.flatMap((one) => (one.kind === 'withheld' ? [] : one)));
    const said = suggestions.length === 0 ? [] : [...cited.keys(), ...this.#episodes.map(({ session }) => session)];
    const proposed = proposedPatches(state);
    const decision = decideInsights(
      {
        knowledge: view.knowledge,
        document: state.document,
        approval: state.store?.approval ?? 'manual',
        counts: state.counts,
        proposed: proposed.keys(),
        prior: (id) => priorProposal(state, id, proposed.get(id)),
        constitution: options.constitution ?? [],
        suggestions,
        cited,
        guardLife: view.guardLife,
        untrusted: await review.untrustedTexts(said),
        refine: looked,
        ...(options.without === undefined ? {} : { without: options.without }),
      },
      { sha256 },
    );
    const patches = decision.insights.map(({ operations }) => this.#patchOf(operations, state));
    const { insights, pages, withdrawn } = decision;
    const digest = sha256(canonicalJson([insights.map(({ insight }, i) => patches[i]?.id ?? insight.id), pages, withdrawn]));
    return { base: state, decision, patches, sha256: digest };
  }

  /**
   * The same change of the same store is one patch, whichever dream proposes it: what a person turned down stays so. Where it was
   * applied, or made way for a newer one, and is wanted again, it is another patch.
   */
  #patchOf(operations: readonly PatchOperation[], base: MemoryState): PatchRef | null {
    if (operations.length === 0) return null;
    const content = canonicalJson(operations);
    const store = JSON.stringify(this.#store);
    const plain = idFrom('patch', sha256(`[${store},${content}]`));
    const record = patchOf(base, plain);
    const isPast = record?.status === 'applied' || (record?.status === 'rejected' && record.decision?.by === 'system');
    const { dreamId } = this.#parts.claim.stream;
    const id = isPast ? idFrom('patch', sha256(`[${store},${content},${JSON.stringify(dreamId)}]`)) : plain;
    return { id, sha256: sha256(content) };
  }

  async #propose(from: number): Promise<void> {
    const { memory, claim } = this.#parts;
    await claim.stream.flush();
    const { decision, patches } = this.#refined!;
    if (from === 0) await this.#prepare(decision);
    const to = Math.min(from + PATCHES_PER_APPEND, decision.insights.length);
    const author = `dream:${claim.stream.dreamId}`;
    const proposals = decision.insights.slice(from, to).flatMap(({ operations, reason, evidence, gates, supersedes }, i): Proposal[] => {
      const patch = patches[from + i];
      return patch == null ? [] : [{ patch: { patchId: patch.id, operations, reason, evidence, author }, gates, supersedes }];
    });
    await memory.propose(this.#store, proposals);
    const reports = await this.#report(from, to);
    for (const [i, { patchId }] of reports.entries()) {
      claim.stream.hold(...insightEvents(decision.insights[from + i]!, patchId === null ? null : patches[from + i]!));
    }
  }

  /** What has to be done before anything is proposed. */
  async #prepare(decision: DreamDecision): Promise<void> {
    const { memory, claim } = this.#parts;
    const { pages } = decision;
    await this.#withdraw(decision);
    for (let i = 0; i < pages.length; i += PAGES_PER_PATCH) {
      const patchId = idFrom('patch', sha256(`${claim.stream.dreamId}/pages/${i}`));
      const operations = pages.slice(i, i + PAGES_PER_PATCH);
      await memory.write(this.#store, { patchId, operations, reason: 'A place for what dreams find.', author: 'system' });
    }
  }

  async #withdraw({ withdrawn }: DreamDecision): Promise<void> {
    const { memory, claim } = this.#parts;
    if (withdrawn.length === 0) return;
    await claim.stream.flush();
    await memory.withdraw(this.#store, withdrawn, { by: 'system', reason: SUPERSEDED });
  }

  /** What became of some of the insights, as the store stands. */
  async #report(from: number, to: number): Promise<DreamtInsightReport[]> {
    const { memory } = this.#parts;
    const { decision, patches } = this.#refined!;
    const { state } = await memory.load(this.#store);
    const reports = decision.insights
      .slice(from, to)
      .map(({ insight, change, tier, reason, claim, evidence, gates }, i): DreamtInsightReport => {
        const said = { insight, change, tier, reason, claim, evidence, gates };
        const id = patches[from + i]?.id ?? null;
        // Without a record somebody has changed the place meanwhile; the next dream sees what it holds now.
        const record = id === null ? undefined : patchOf(state, id);
        if (record === undefined) return { ...said, patchId: null, status: 'rejected' };
        return { ...said, patchId: id, status: record.status };
      });
    this.#reports.push(...reports);
    return reports;
  }

  async #complete(): Promise<void> {
    const { memory, claim, view } = this.#parts;
    const { decision, base } = this.#refined!;
    if (decision.insights.length === 0) await this.#withdraw(decision);
    const { insights, reviewed } = this.#state;
    const { state } = await memory.load(this.#store);
    const own = insights.flatMap(({ patchId }) =>
      patchId !== null && patchOf(state, patchId)?.proposal.dream_id === claim.stream.dreamId ? [patchId] : [],
    );
    this.#reports.unshift(...decision.settled.map(settledReport));
    const found = { decisions: reviewed.decisions, stands: isTaught(base), guard: decision.heldBack > 0 ? decision.guard : [] };
    const nothing = this.#reports.length > 0 ? null : whyNothing(view.knowledge, found);
    const rejected = insights.filter((dreamt) => dreamt.rejected !== null).length;
    claim.stream.hold(
      dreamEvent('dream.completed', { patch_ids: [...new Set(own)], insights: insights.length, rejected, ...this.#why(nothing) }),
    );
  }

  #why(nothing: string | null): { uncounted?: Uncounted[]; nothing?: string } {
    return { ...(this.#uncounted.length === 0 ? {} : { uncounted: this.#uncounted }), ...(nothing === null ? {} : { nothing }) };
  }
}

/** Something is in the store, or dreams have put something forward. */
function isTaught(state: MemoryState): boolean {
  return Object.keys(state.document.memories).length > 0 || proposedPatches(state).size > 0;
}

/** What was put forward before, and on which somebody has decided or has to decide. */
function settledReport({ evidence, ...settled }: DreamDecision['settled'][number]): DreamtInsightReport {
  return { ...settled, change: 'add', tier: 'typed', claim: '', evidence: [...evidence] };
}
