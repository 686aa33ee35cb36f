import { phrasesOf, utf8Bytes, type Sha256 } from '@dreamfold/core';
import {
  EvidenceRef,
  Suggestion,
  checkJson,
  isDreamfoldError,
  type ChoiceInsight,
  type NoteSuggestion,
  type WithheldSuggestion,
} from '@dreamfold/events';
import type { DecisionPoint, Episode } from './episodes/episode.ts';
import { NO_FAULTS, type Candidate } from './gates/candidate.ts';
import { shape } from './gates/shape.ts';
import { secretIn, secrets } from './gates/words/secrets.ts';
import { suggestionId } from './insight-id.ts';
import { leastSupport, supportOf, type Witness } from './learn/quorum.ts';

/** What a suggested cue is worth: one unit of log-odds. */
const SUGGESTED_POINTS = 10;

const MAX_FAULT_CHARS = 300;
/** An event has 256 KiB. No suggestion that the gates let through is nearly as large. */
const MAX_RECORDED_BYTES = 180 * 1024;

/** What somebody suggests, as a dream takes it in and its stream records it: it passes the same gates as what is learnt. */
export type TakenSuggestion = Suggestion | WithheldSuggestion;

/**
 * Reads what somebody suggests, whatever it is. In the place of what is malformed, of what is secret and of what is too large for the log
 * stands a suggestion that says so, and that a gate will stop.
 */
export function readSuggestions(suggestions: unknown, sha256: Sha256): TakenSuggestion[] {
  if (!Array.isArray(suggestions)) return [withheld(0, 'It is no array of suggestions.')];
  // Also the holes of an array are read.
  return Array.from(suggestions, (value: unknown, at) => readSuggestion(value, at, sha256));
}

/** Suggestions in parts, each of which an event can hold: one part at least. */
export function recordableParts(suggestions: readonly TakenSuggestion[]): TakenSuggestion[][] {
  const parts: TakenSuggestion[][] = [[]];
  let bytes = 0;
  for (const suggestion of suggestions) {
    const own = bytesOf(suggestion);
    if (bytes + own > MAX_RECORDED_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(suggestion);
    bytes += own;
  }
  return parts;
}

function readSuggestion(value: unknown, at: number, sha256: Sha256): TakenSuggestion {
  try {
    checkJson(value, 'suggestion');
  } catch (error) {
    if (!isDreamfoldError(error)) throw error;
    return withheld(at, `It is nothing that an event can hold: ${error.code}.`, error.code);
  }
  const { data, error } = Suggestion.safeParse(value);
  if (data !== undefined) return unrecordable(data, at, sha256) ?? data;
  const { path, message } = error.issues[0]!;
  return withheld(at, `${path.join('.') || 'It'}: ${message}`);
}

/** What is to be recorded in the place of a suggestion that may not be; null when it may. */
function unrecordable(suggestion: Suggestion, at: number, sha256: Sha256): WithheldSuggestion | null {
  const candidate = candidateOf(suggestion, { cited: new Map(), sha256 });
  const verdict = secrets(candidate);
  if (!verdict.pass) return { ...withheld(at, verdict.reason, verdict.code), gate: 'secrets' };
  // What should be the name of an event may be any text.
  const odd = suggestion.evidence.find((ref) => !EvidenceRef.safeParse(ref).success && secretIn(ref) !== null);
  if (odd !== undefined) return { ...withheld(at, `Its evidence holds ${secretIn(odd)!}.`, 'secret_detected'), gate: 'secrets' };
  if (bytesOf(suggestion) <= MAX_RECORDED_BYTES) return null;
  const form = shape(candidate);
  return form.pass ? withheld(at, 'It is too large to be recorded.', 'text_too_long') : withheld(at, form.reason, form.code);
}

function withheld(at: number, reason: string, code = 'invalid_argument'): WithheldSuggestion {
  return { kind: 'withheld', at, gate: 'shape', reason: reason.slice(0, MAX_FAULT_CHARS).toWellFormed(), code };
}

function bytesOf(suggestion: TakenSuggestion): number {
  return utf8Bytes(JSON.stringify(suggestion));
}

/** A session that a suggestion cites. */
export interface CitedSession {
  /** The last event that is on the log. */
  seq: number;
  /** null while it is not at rest. */
  episode: Episode | null;
}

/** By session id; what is not on the log is not in it. */
export type Cited = ReadonlyMap<string, CitedSession>;

/** The session of an evidence reference, and the seq; the session is null for what is no session's event. */
export function parseRef(ref: string): { session: string | null; seq: number } {
  const match = /^session\/([A-Za-z0-9_-]+)#([1-9]\d*)$/.exec(ref);
  return match === null ? { session: null, seq: 0 } : { session: match[1]!, seq: Number(match[2]) };
}

/** A suggestion as a candidate: what it cites is looked up, and what it claims to be supported by is counted. */
export function candidateOf(suggestion: TakenSuggestion, { cited, sha256 }: { cited: Cited; sha256: Sha256 }): Candidate {
  if (suggestion.kind === 'withheld') return withheldCandidate(suggestion, sha256);
  const { reason: claim, evidence } = suggestion;
  const shared = { origin: 'suggested' as const, claim, evidence };
  if (suggestion.kind === 'note') {
    const { path, content } = suggestion;
    const finding: NoteSuggestion = { kind: 'note', id: suggestionId({ path, content }, sha256), path, content };
    return {
      ...shared,
      finding,
      reason: 'Somebody suggests a note.',
      faults: noteFaults(evidence, cited),
      witnesses: new Map(),
      turns: [],
    };
  }
  const { tool, field, value } = suggestion;
  const cues = suggestion.cues.toSorted();
  const { faults, bearing, offered } = look(suggestion, cited);
  const witnesses = new Map(cues.map((cue) => [cue, bearing.filter(({ phrases }) => phrases.has(cue)).map(({ witness }) => witness)]));
  // A suggestion without a cue is supported by nothing.
  const supports = [bearing.map(({ witness }) => witness), ...witnesses.values()].map(supportOf);
  const finding: ChoiceInsight = {
    kind: 'choice',
    id: suggestionId({ tool, field, value, cues }, sha256),
    tool,
    field,
    value,
    cues: cues.map((phrase) => ({ phrase, points: SUGGESTED_POINTS, ...supportOf(witnesses.get(phrase) ?? []) })),
    support: leastSupport(supports),
  };
  const reason = `Somebody suggests it; ${bearing.length} of the cited decisions bear it out.`;
  return { ...shared, finding, reason, faults, witnesses, turns: [], ...(offered === null ? {} : { offered }) };
}

function withheldCandidate({ at, gate, reason, code }: WithheldSuggestion, sha256: Sha256): Candidate {
  const content = 'What was suggested is not recorded.';
  const finding: NoteSuggestion = { kind: 'note', id: suggestionId({ at, reason, code }, sha256), path: '/withheld', content };
  return {
    finding,
    origin: 'suggested',
    reason: 'Somebody suggests what is no suggestion, or may not be recorded.',
    claim: '',
    evidence: [],
    faults: NO_FAULTS,
    witnesses: new Map(),
    turns: [],
    misfit: { gate, reason, code },
  };
}

interface Bearing {
  witness: Witness;
  phrases: ReadonlySet<string>;
}

interface Looked {
  faults: Candidate['faults'];
  bearing: Bearing[];
  /** Named by the tools of all sessions that bear it out; where there are none, by any that is cited. null when none is there. */
  offered: string[] | null;
}

function look(choice: Suggestion & { kind: 'choice' }, cited: Cited): Looked {
  const faults = { missing: [] as string[], unlabelled: [] as string[], stray: [] as string[] };
  const bearing = new Map<DecisionPoint, Bearing>();
  const named = new Set<string>();
  let isThere = false;
  for (const ref of choice.evidence) {
    const found = find(ref, cited);
    if (found === null) {
      faults.missing.push(ref);
      continue;
    }
    isThere = true;
    const decisions = found.decisions.filter(({ evidence }) => evidence.includes(ref));
    const decision = decisions.find(({ tool, field }) => tool === choice.tool && field === choice.field);
    for (const option of decision?.options ?? []) named.add(option);
    if (decision === undefined || decision.right === null) {
      (decision === undefined && found.labelled ? faults.stray : faults.unlabelled).push(ref);
      continue;
    }
    const phrases = phrasesOf(decision.request);
    if (decision.right !== choice.value || !choice.cues.some((cue) => phrases.has(cue))) {
      faults.stray.push(ref);
      continue;
    }
    const { session, principal, authenticated, labeller, right, evidence } = decision;
    bearing.set(decision, { witness: { session, principal, authenticated, labeller, right, evidence }, phrases });
  }
  const offered = [...named].filter((option) => [...bearing.keys()].every(({ options }) => options.includes(option)));
  return { faults, bearing: [...bearing.values()], offered: isThere ? offered : null };
}

/** A note cites what somebody has labelled: a judged decision, a feedback, a score. */
function noteFaults(evidence: readonly string[], cited: Cited): Candidate['faults'] {
  const found = evidence.map((ref) => ({ ref, event: find(ref, cited) }));
  return {
    missing: found.filter(({ event }) => event === null).map(({ ref }) => ref),
    unlabelled: found.filter(({ event }) => event !== null && !event.labelled).map(({ ref }) => ref),
    stray: [],
  };
}

function find(ref: string, cited: Cited): { decisions: readonly DecisionPoint[]; labelled: boolean } | null {
  const { session, seq } = parseRef(ref);
  const known = session === null ? undefined : cited.get(session);
  if (known === undefined || seq > known.seq) return null;
  const decisions = known.episode?.decisions ?? [];
  const labelled = known.episode?.labels.has(seq) === true || decisions.some((d) => d.right !== null && d.evidence.includes(ref));
  return { decisions, labelled };
}
