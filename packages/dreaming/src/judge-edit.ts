import { writtenBy, type InsightCounts, type MemoryDocument, type Sha256 } from '@dreamfold/core';
import { DreamfoldError, type Finding, type GateVerdict, type Insight, type PatchOperation } from '@dreamfold/events';
import type { ErrorPoint } from './episodes/episode.ts';
import { NO_FAULTS, type GateContext } from './gates/candidate.ts';
import type { Constitution } from './gates/constitution.ts';
import { judge } from './gates/judge.ts';
import { recoveryId, suggestionId } from './insight-id.ts';
import type { Knowledge } from './learn/knowledge.ts';
import { baseRateReason, learntReason, recoveryReason } from './learn/learnt-reason.ts';
import { countPhrases } from './learn/phrase-count.ts';
import { storedInsights } from './playbook-pages.ts';
import { standingOf } from './learn/propose-choices.ts';
import { leastSupport, supportOf, type Witness } from './learn/quorum.ts';
import { runAs } from './learn/recoveries.ts';

export interface EditInput {
  /** The patch as it was proposed, and as a person wants it: see `withProposedText` of `@dreamfold/core`. */
  before: readonly PatchOperation[];
  after: readonly PatchOperation[];
  /** That the former names. */
  evidence: readonly string[];
  /** What the gates said of the former. */
  gates: readonly GateVerdict[];
  /** What the person says for it; '' when nothing. */
  note: string;
  document: MemoryDocument;
  counts: ReadonlyMap<string, InsightCounts>;
  knowledge: Knowledge;
  constitution: Constitution;
  /** What users and tools said in the sessions that were reviewed or are cited. */
  untrusted: readonly string[];
}

export interface JudgedEdit {
  /** The edited patch, with what new cues are borne out by. */
  operations: PatchOperation[];
  /** Why that is proposed, as far as lessons say so; for a note the word of whoever wrote it. */
  reason: string;
  evidence: string[];
  gates: GateVerdict[];
}

/** What an edit makes of a finding. */
interface Change {
  finding: Finding;
  /** For each cue that is new, or for '' where there are none: the labelled decisions that bear it out. */
  witnesses: Map<string, readonly Witness[]>;
  /** Values that the tool named in sessions that dreams have read; those of the quorum named what was right for them. */
  offered?: string[];
}

/**
 * Takes what a person has made of a proposal through the gates. What stays as it was has been through them; what is new
 * needs the same quorum as anything new, counted in all that is known.
 * @throws DreamfoldError precondition_failed when the proposal was held against rules and none are given
 */
export function judgeEdit(input: EditInput, sha256: Sha256): JudgedEdit {
  const { after, evidence, gates, note, document, counts, knowledge, constitution, untrusted } = input;
  if (constitution.length === 0 && gates.some(({ rules = 0 }) => rules > 0)) throw rulesMissing();
  const { finding, witnesses, offered = null } = changeOf(input, sha256);
  const known = storedInsights(document).flatMap(({ insight }) => (insight.id === finding.id ? [] : [insight]));
  const isLearnt = (insight: Insight): boolean => standingOf(insight, sha256) !== null;
  const cited = [...new Set([...evidence, ...[...witnesses.values()].flat().flatMap((witness) => witness.evidence)])];
  // A person wrote it as it stands, so it passes whole or not at all.
  const candidate = {
    finding,
    // What has only lost words is still what was weighed before.
    origin: finding.kind !== 'note' && witnesses.size === 0 ? ('learnt' as const) : ('suggested' as const),
    reason: note,
    claim: note,
    evidence: cited,
    faults: NO_FAULTS,
    witnesses,
    turns: [],
    ...(offered === null ? {} : { offered }),
  };
  const lessons: GateContext['lessons'] = (tool, field) => knowledge.lessons(tool, field);
  const { index } = writtenBy(after)!;
  const operations = after.map((operation, i) =>
    i === index && finding.kind !== 'note' ? ({ ...operation, value: finding } as PatchOperation) : operation,
  );
  const context: GateContext = { constitution, counts, untrusted, known, isLearnt, lessons, toldPoints: () => 0, guarded: () => null };
  return { operations, reason: reasonOf(finding, note), evidence: cited, gates: judge(candidate, context) };
}

function reasonOf(finding: Finding, note: string): string {
  switch (finding.kind) {
    case 'choice':
      return learntReason(finding);
    case 'recovery':
      return recoveryReason(finding);
    case 'base_rate':
      return baseRateReason(finding);
    case 'note':
      return note.trim() === '' ? 'A person wrote it so.' : note;
  }
}

function changeOf({ before, after, knowledge }: EditInput, sha256: Sha256): Change {
  const [was, is] = [writtenBy(before)!, writtenBy(after)!];
  const { value } = is;
  if (value.kind === 'note') {
    const { path } = is;
    const { content } = value;
    return { finding: { kind: 'note', id: suggestionId({ path, content }, sha256), path, content }, witnesses: new Map() };
  }
  if (value.kind === 'recovery') {
    if (was.value.kind === 'recovery' && was.value.next === value.next) return { finding: value, witnesses: new Map() };
    const witnesses = wentOnWith(knowledge, value, sha256);
    return { finding: { ...value, support: supportOf(witnesses) }, witnesses: new Map([['', witnesses]]) };
  }
  // Its values are the tool's own, and its points whoever edits them answers for.
  if (value.kind === 'base_rate') return { finding: value, witnesses: new Map() };
  const added = value.cues.filter(({ sessions }) => sessions === 0).map(({ phrase }) => phrase);
  const counts = countPhrases(added, value.value, knowledge.lessons(value.tool, value.field));
  const witnesses = new Map<string, readonly Witness[]>();
  const cues = value.cues.map((cue) => {
    if (cue.sessions > 0) return cue;
    const { witnesses: cited, sessions, principals } = counts.get(cue.phrase)!;
    witnesses.set(cue.phrase, cited);
    return { ...cue, sessions, principals };
  });
  const offered = new Set([...knowledge.lessons(value.tool, value.field)].flatMap(({ options }) => options));
  return { finding: { ...value, cues, support: leastSupport(cues) }, witnesses, offered: [...offered] };
}

/** The runs that went on so after this error. */
function wentOnWith({ recoveries }: Knowledge, { id, next }: Insight & { kind: 'recovery' }, sha256: Sha256): Witness[] {
  const isMeant = ([first]: readonly ErrorPoint[]): boolean => first !== undefined && recoveryId(first, sha256) === id;
  return [...recoveries.values()]
    .map((byNext) => byNext.get(next) ?? [])
    .filter(isMeant)
    .flat()
    .map(({ session, principal, evidence }) => runAs({ session, principal, right: next, evidence: [evidence] }));
}

function rulesMissing(): DreamfoldError {
  return new DreamfoldError('precondition_failed', 'The proposal was held against rules of the operator; an edit of it has to be as well', {
    path: 'rules',
    remedy: 'Name the file of rules with --rules.',
  });
}
