import { escapeToken, type InsightCounts, type MemoryDocument, type PatchStatus, type Sha256 } from '@dreamfold/core';
import type { Finding, GateVerdict, GuardReport, Insight, PatchOperation } from '@dreamfold/events';
import { contradicts } from './gates/agreement.ts';
import { NO_FAULTS, type Candidate, type GateContext, type Misfit } from './gates/candidate.ts';
import { constitution, type Constitution } from './gates/constitution.ts';
import { withoutBadCues } from './gates/drop-cues.ts';
import { hasPassed, judge, judgeRetirement, type GateName } from './gates/judge.ts';
import { tierOf } from './gates/taint.ts';
import { movedInsights, toldBy, type TellingInsight } from './learn/fit/moved-insights.ts';
import { guardKey, type GuardLife } from './learn/guard/guard-life.ts';
import { judgeChange } from './learn/guard/judge-change.ts';
import type { Knowledge } from './learn/knowledge.ts';
import {
  PlaybookPages,
  addInsight,
  hasMoved,
  removeInsight,
  retiredTogether,
  storedInsights,
  type StoredInsight,
} from './playbook-pages.ts';
import type { PriorProposal } from './prior-proposals.ts';
import { learntIds, standingOf } from './learn/propose-choices.ts';
import { findings, isAboutSame, type Found } from './learn/refine.ts';
import { retirementOf, type RetireContext, type Retirement } from './learn/retirement.ts';
import type { Standing } from './learn/standing.ts';
import { ToldIndex } from './learn/told-index.ts';
import { candidateOf, type Cited, type TakenSuggestion } from './suggestion.ts';

export interface DreamInput {
  /** What was reviewed, by this dream and those before. */
  knowledge: Knowledge;
  /** The store as it stands. */
  document: MemoryDocument;
  /** Of the store: `auto` applies what no gate leaves to a person. */
  approval: 'manual' | 'auto';
  counts: ReadonlyMap<string, InsightCounts>;
  /** The ids of the insights that earlier dreams put forward. */
  proposed: Iterable<string>;
  /** What an earlier dream put forward under an insight's id. */
  prior: (insightId: string) => PriorProposal | undefined;
  constitution: Constitution;
  /** As `readSuggestions` has read them. */
  suggestions: readonly TakenSuggestion[];
  /** The sessions that the suggestions cite. */
  cited: Cited;
  /** What users and tools said in the sessions that were reviewed or are cited. */
  untrusted: readonly string[];
  /** What the guard knows of earlier dreams. */
  guardLife: GuardLife;
  /** Whether to look at all that is known for new insights; suggestions are judged in any case. */
  refine: boolean;
  /** Gates that are left out: only tests do that, to show what each is good for. */
  without?: readonly GateName[];
}

/** A finding with what the gates said of it. */
export interface JudgedInsight {
  insight: Finding;
  change: 'add' | 'replace' | 'retire';
  tier: 'typed' | 'untrusted';
  reason: string;
  /** What a suggestion says for itself; '' for what is learnt. */
  claim: string;
  evidence: string[];
  gates: GateVerdict[];
  /** What puts it into the store; empty when a gate stopped it. */
  operations: PatchOperation[];
  /** A proposal of an earlier dream that this one takes the place of, if nobody has decided on it yet. */
  supersedes: string | null;
}

/** A finding that was put forward before, and on which somebody has decided or has to decide. */
export interface SettledInsight {
  insight: Insight;
  patchId: string;
  status: PatchStatus;
  reason: string;
  evidence: readonly string[];
  /** What the operator's rules say now of one that waits; empty without rules, and where somebody has decided. */
  gates: GateVerdict[];
}

export interface DreamDecision {
  /** Has to be written before any of the operations below: empty pages, so that each insight can be approved without the others. */
  pages: PatchOperation[];
  /** Nothing at all is a valid dream. */
  insights: JudgedInsight[];
  settled: SettledInsight[];
  /** Patches that wait for a person, of what no longer holds. */
  withdrawn: string[];
  /** What the guard has found, of each field that it has looked at. */
  guard: GuardReport[];
  /** How many findings are not proposed, since the guard has not been won. */
  heldBack: number;
}

/**
 * Refines and validates: what is new in what is known, what no longer holds, and what was suggested, each with what the
 * gates say. The same input gives the same output; what the store knows already is not proposed again.
 * @throws DreamfoldError path_conflict when a note stands where a playbook belongs
 */
export function decideInsights(input: DreamInput, { sha256 }: { sha256: Sha256 }): DreamDecision {
  return new Dream(input, sha256).decide();
}

class Dream {
  readonly #input: DreamInput;
  readonly #sha256: Sha256;
  readonly #stored: Map<string, StoredInsight>;
  readonly #pages: PlaybookPages;
  readonly #insights: JudgedInsight[] = [];
  readonly #settled: SettledInsight[] = [];
  readonly #withdrawn: string[] = [];
  /** Stored insights that a patch of this dream changes. */
  readonly #touched = new Set<string>();
  readonly #context: GateContext;
  readonly #known: Insight[];
  /** How insights stand, of those that were asked about. */
  readonly #standings = new Map<Insight, Standing | null>();
  /** Ids of what the learner found and this dream has let through: nothing else stands under them any more. */
  readonly #learnt = new Set<string>();
  readonly #told: ToldIndex;
  #moved: ReadonlySet<string> = new Set();
  /** By tool and field. */
  readonly #guard = new Map<string, GuardReport>();
  #heldBack = 0;

  constructor(input: DreamInput, sha256: Sha256) {
    this.#input = input;
    this.#sha256 = sha256;
    this.#stored = new Map(storedInsights(input.document).map((stored) => [stored.insight.id, stored]));
    this.#pages = new PlaybookPages(input.document);
    this.#known = [...this.#stored.values()].map(({ insight }) => insight);
    this.#told = new ToldIndex(this.#known, input.approval, this.#standingOf);
    const { constitution, counts, untrusted, knowledge } = input;
    this.#context = {
      constitution,
      counts,
      untrusted,
      known: this.#known,
      isLearnt: (insight) => this.#isLearnt(insight),
      lessons: (tool, field) => knowledge.lessons(tool, field),
      guarded: (about) => this.#guard.get(guardKey(about)) ?? null,
      toldPoints: (choice, phrase) => this.#told.points(choice, phrase),
    };
  }

  decide(): DreamDecision {
    const { refine, knowledge, suggestions, cited } = this.#input;
    if (refine) {
      const found = findings(knowledge, this.#sha256, this.#told);
      this.#moved = this.#movedOf(found);
      this.#look();
      for (const candidate of found) {
        if (this.#isHeldBack(candidate)) this.#heldBack += 1;
        else this.#consider(candidate);
      }
      const ids = new Set(found.map(({ finding }) => finding.id));
      this.#retire(
        ids,
        found.map(({ finding }) => finding),
      );
      this.#withdraw(ids);
    }
    for (const suggestion of suggestions) {
      const whole = candidateOf(suggestion, { cited, sha256: this.#sha256 });
      // There has to be room for all that is suggested, whichever cues are dropped.
      const misfit = whole.misfit ?? this.#misfitOf(whole.finding);
      this.#judge({ ...this.#trimmed(whole), misfit }, 'add', null);
    }
    return {
      pages: this.#pages.missing,
      insights: this.#insights,
      settled: this.#settled,
      withdrawn: this.#withdrawn,
      guard: [...this.#guard.values()],
      heldBack: this.#heldBack,
    };
  }

  /** Holds what is learnt of each field against nothing, and against what the store tells. */
  #look(): void {
    const { knowledge, guardLife, approval } = this.#input;
    const learners = [...knowledge.learners.values()].filter(({ by, lessons }) => by === 'trusted' && lessons > 0);
    const hasNew = learners.some((learner) => learner.lessons !== guardLife.seen.get(guardKey(learner)));
    // The same lessons looked at again are the same look.
    const look = Math.max(1, guardLife.looks + (hasNew ? 1 : 0));
    for (const learner of learners) {
      const { tool, field, taught: lessons, options } = learner;
      const present = toldBy(
        this.#known.filter((one) => one.kind !== 'recovery' && one.tool === tool && one.field === field) as TellingInsight[],
      );
      const key = guardKey({ tool, field });
      const writtenFrom = guardLife.writtenFrom.get(key) ?? 0;
      const report = judgeChange({ tool, field, lessons, values: [...options], present, writtenFrom, look });
      learner.isProved = approval !== 'auto' || report.verdict !== 'abstain';
      this.#guard.set(key, report);
    }
  }

  /** What is not proved is not proposed to a store that would apply it by itself; what waits for a person in any case is. */
  #isHeldBack({ finding }: Found): boolean {
    if (this.#input.approval !== 'auto' || this.#input.without?.includes('guard') === true) return false;
    if (finding.kind !== 'base_rate' && (finding.kind !== 'choice' || this.#standingOf(finding) !== 'plain')) return false;
    return this.#guard.get(guardKey(finding))?.verdict === 'abstain';
  }

  /** What is learnt is proposed when it is new or has moved, and nobody has decided on the same before. */
  #consider(whole: Found): void {
    // Compared without the cues that no gate lets through: what is the same but for them has not moved.
    const found = this.#trimmed(whole);
    const finding = found.finding as Insight;
    const stored = this.#stored.get(finding.id);
    if (stored !== undefined && this.#isSame(stored.insight, finding)) return;
    const prior = this.#input.prior(finding.id) ?? this.#turnedDown(finding);
    const isOpen = prior !== undefined && isWaiting(prior);
    // It was there and was retired: that lasts until there is new evidence.
    if (stored === undefined && prior?.status === 'applied' && !isMuchBetter(finding, prior.insight)) return;
    if (prior !== undefined && (isOpen ? this.#isSame(prior.insight, finding) : prior.byPerson && !isMuchBetter(finding, prior.insight))) {
      const { patchId, status, reason, evidence } = prior;
      const isHeld = isOpen && this.#context.constitution.length > 0;
      const gates = isHeld ? [{ gate: 'constitution', ...constitution(found, this.#context) }] : [];
      this.#settled.push({ insight: finding, patchId, status, reason, evidence, gates });
      return;
    }
    const change = stored === undefined ? 'add' : 'replace';
    this.#judge({ ...found, misfit: this.#misfitOf(finding) }, change, isOpen ? prior.patchId : null);
  }

  /** Of what the learner finds for a value as a whole: the ids of what the lessons bear out clearly better than what stands. */
  #movedOf(found: readonly Found[]): ReadonlySet<string> {
    const whole = found.flatMap(({ finding }): TellingInsight[] => {
      if (finding.kind === 'base_rate') return [finding];
      return finding.kind === 'choice' && this.#standingOf(finding) === 'plain' ? [finding] : [];
    });
    const before = whole.map((finding) => {
      const prior = this.#input.prior(finding.id);
      const was = this.#stored.get(finding.id)?.insight ?? (prior !== undefined && isWaiting(prior) ? prior.insight : undefined);
      // What is new is no reason to write others again.
      return was?.kind === 'choice' || was?.kind === 'base_rate' ? was : finding;
    });
    return movedInsights(this.#input.knowledge.learners.values(), { before, after: whole, approval: this.#input.approval });
  }

  #isSame(before: Insight, after: Insight): boolean {
    if (before.kind === 'choice' && after.kind === 'choice' && this.#standingOf(after) === 'plain') return !this.#moved.has(after.id);
    return isSame(before, after);
  }

  /** Without the cues that no gate lets through: what they contradict does not matter. */
  #trimmed(whole: Candidate): Candidate {
    return withoutBadCues(whole, this.#context, this.#input.without);
  }

  #misfitOf(finding: Finding): Misfit | null {
    return this.#stored.has(finding.id) ? null : this.#pages.misfitOf(finding);
  }

  /** @param candidate without the cues that no gate lets through */
  #judge(candidate: Candidate, change: 'add' | 'replace', supersedes: string | null): void {
    const rivals = this.#rivalsOf(candidate);
    const turns = [...new Set([...candidate.turns, ...rivals.map(({ insight }) => insight.id)])];
    const gates = judge({ ...candidate, turns }, this.#context, this.#input.without);
    const { finding, claim, evidence } = candidate;
    // The gate has seen that each is supported less. The learner weighs the same decisions, and retires by itself what it has written.
    const allBeaten = hasPassed(gates) ? rivals.filter(({ insight }) => !this.#isLearnt(insight)) : [];
    const together = retiredTogether(allBeaten);
    const beaten = allBeaten.slice(0, together);
    const operations = hasPassed(gates) ? [...beaten.flatMap(removeInsight), ...this.#operationsFor(finding)] : [];
    const gone = beaten.map(({ insight }) => ` It retires ${insight.id}, which says otherwise and is supported less.`).join('');
    const reason = `${candidate.reason}${gone}`;
    this.#insights.push({
      insight: finding,
      change,
      tier: tierOf(candidate),
      reason,
      claim,
      evidence: [...evidence],
      gates,
      operations,
      supersedes,
    });
    if (operations.length === 0 || finding.kind === 'note') return;
    for (const { insight } of beaten) this.#touched.add(insight.id);
    const why = { reason: `${finding.id} says otherwise and is supported more.`, evidence: [...evidence], contradicted: true };
    for (const stored of allBeaten.slice(together)) this.#retireOne(stored, why);
    this.#touched.add(finding.id);
    this.#known.push(finding);
    if (candidate.origin === 'learnt') this.#learnt.add(finding.id);
  }

  /** What tells agents otherwise. What is learnt says so itself, where it is about insights that were learnt. */
  #rivalsOf({ finding, origin }: Candidate): StoredInsight[] {
    return [...this.#stored.values()].filter(
      ({ insight }) =>
        contradicts(insight, finding) && !this.#touched.has(insight.id) && (origin === 'suggested' || !this.#isLearnt(insight)),
    );
  }

  #operationsFor(finding: Finding): PatchOperation[] {
    if (finding.kind === 'note') {
      const { path, content } = finding;
      const before = Object.hasOwn(this.#input.document.memories, path) ? this.#input.document.memories[path] : undefined;
      const pointer = `/memories/${escapeToken(path)}`;
      const test: PatchOperation[] = before === undefined ? [] : [{ op: 'test', path: pointer, value: before }];
      return [...test, { op: before === undefined ? 'add' : 'replace', path: pointer, value: { kind: 'note', content } }];
    }
    const stored = this.#stored.get(finding.id);
    return stored === undefined ? addInsight(this.#pages.place(finding), finding) : this.#pages.replace(stored, finding);
  }

  /** Its id is what the learner would give it. */
  #isLearnt(insight: Insight): boolean {
    return this.#learnt.has(insight.id) || this.#standingOf(insight) !== null;
  }

  readonly #standingOf = (insight: Insight): Standing | null => {
    let standing = this.#standings.get(insight);
    if (standing === undefined) this.#standings.set(insight, (standing = standingOf(insight, this.#sha256)));
    return standing;
  };

  /** What a person turned down stays so when its cues have only grown stronger, or weaker. */
  #turnedDown(finding: Insight): PriorProposal | undefined {
    if (finding.kind !== 'choice') return undefined;
    const others = learntIds(finding, this.#sha256).map(this.#input.prior);
    return others.find((prior) => {
      if (prior === undefined || !prior.byPerson || prior.insight.kind !== 'choice') return false;
      const phrases = new Set(prior.insight.cues.map(({ phrase }) => phrase));
      return finding.cues.every(({ phrase }) => phrases.has(phrase));
    });
  }

  #withdraw(found: ReadonlySet<string>): void {
    for (const id of this.#input.proposed) {
      const prior = this.#input.prior(id);
      if (found.has(id) || prior === undefined || !isWaiting(prior) || !this.#isLearnt(prior.insight)) continue;
      this.#withdrawn.push(prior.patchId);
    }
  }

  #retire(found: ReadonlySet<string>, findings: readonly Finding[]): void {
    const { knowledge, counts, prior } = this.#input;
    const now = new ToldIndex(findings, this.#input.approval, this.#standingOf);
    const tells: RetireContext['tells'] = (choice, phrase) => now.points(choice, phrase) > 0;
    const turned: RetireContext['turned'] = (choice, phrase) =>
      this.#told.of(choice, phrase).some(({ insight }) => insight.value !== choice.value && tells(insight, phrase));
    for (const stored of this.#stored.values()) {
      const { insight } = stored;
      if (this.#touched.has(insight.id)) continue;
      const why = retirementOf(insight, { knowledge, found, tells, turned, counts, prior, standingOf: this.#standingOf });
      if (why !== null) this.#retireOne(stored, why);
    }
  }

  #retireOne(stored: StoredInsight, { reason, evidence, contradicted }: Retirement): void {
    const { insight } = stored;
    const shared = { reason, claim: '', evidence };
    const about = { finding: insight, origin: 'learnt' as const, faults: NO_FAULTS, witnesses: new Map() };
    const candidate: Candidate = { ...shared, ...about, turns: contradicted ? [insight.id] : [] };
    const gates = judgeRetirement(candidate, this.#context, this.#input.without);
    const operations = hasPassed(gates) ? removeInsight(stored) : [];
    this.#touched.add(insight.id);
    this.#insights.push({ ...shared, insight, change: 'retire', tier: 'typed', gates, operations, supersedes: null });
  }
}

function isWaiting(prior: PriorProposal): boolean {
  return ['proposed', 'validated', 'approved'].includes(prior.status);
}

function isSame(before: Insight, after: Insight): boolean {
  if (before.kind === 'choice' && after.kind === 'choice') return !hasMoved(before, after);
  return isAboutSame(before, after);
}

/** What was turned down or retired comes back when half as many again stand behind it. */
function isMuchBetter(now: Insight, then: Insight): boolean {
  return principalsOf(now) >= 1.5 * principalsOf(then);
}

function principalsOf(insight: Insight): number {
  return insight.kind === 'choice' ? Math.max(...insight.cues.map(({ principals }) => principals)) : insight.support.principals;
}
