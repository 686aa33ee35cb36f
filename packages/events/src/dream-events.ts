import { z } from 'zod';
import { EvidenceRef, GateVerdict } from './memory-events.ts';

/** A phrase that speaks for a value, and how strongly: points add up, ten of them are one unit of log-odds. */
export const Cue = z.strictObject({
  /** Lower-case, at most three words of less than 24 characters each. */
  phrase: z.string().min(1).max(72),
  points: z.int().min(1).max(999),
  sessions: z.int().nonnegative(),
  principals: z.int().nonnegative(),
});
export type Cue = z.infer<typeof Cue>;

/** How many sessions of how many principals bear an insight out; of its least supported cue, where it has cues. */
const Support = z.strictObject({ sessions: z.int().nonnegative(), principals: z.int().nonnegative() });

/** When the request says the cues, this value of this tool's field is right. */
export const ChoiceInsight = z.strictObject({
  kind: z.literal('choice'),
  id: z.string(),
  tool: z.string().min(1).max(64),
  field: z.string().min(1).max(64),
  value: z.string().min(1).max(200),
  cues: z.array(Cue).min(1).max(200),
  support: Support,
});
export type ChoiceInsight = z.infer<typeof ChoiceInsight>;

/** After this error of this tool, the runs that went well went on with this. What went with success, never an instruction. */
export const RecoveryInsight = z.strictObject({
  kind: z.literal('recovery'),
  id: z.string(),
  tool: z.string().min(1).max(64),
  /** The error with its figures and names taken out. */
  signature: z.string().min(1).max(200),
  /** The next call's tool, or `respond` for a message to the user. */
  next: z.string().min(1).max(64),
  support: Support,
});
export type RecoveryInsight = z.infer<typeof RecoveryInsight>;

/** How often values of this tool's field are right, whatever the request says: points to be added to those of the cues. */
export const BaseRateInsight = z.strictObject({
  kind: z.literal('base_rate'),
  id: z.string(),
  tool: z.string().min(1).max(64),
  field: z.string().min(1).max(64),
  /** The most frequent first. What is left out has no points. */
  values: z
    .array(z.strictObject({ value: z.string().min(1).max(200), points: z.int().min(1).max(999) }))
    .min(1)
    .max(200),
  support: Support,
});
export type BaseRateInsight = z.infer<typeof BaseRateInsight>;

export const Insight = z.discriminatedUnion('kind', [ChoiceInsight, RecoveryInsight, BaseRateInsight]);
export type Insight = z.infer<typeof Insight>;

/** Free text that somebody suggests for a path of the store. */
export const NoteSuggestion = z.strictObject({ kind: z.literal('note'), id: z.string(), path: z.string(), content: z.string() });
export type NoteSuggestion = z.infer<typeof NoteSuggestion>;

const suggested = {
  /** What the suggestion says for itself; nobody checks it. */
  reason: z.string(),
  /** As `stream#seq`. */
  evidence: z.array(z.string().max(128)).max(1000).readonly(),
};

/** An insight that somebody else proposes: a model, a person, a directive. Its sizes are for the gates to judge. */
export const Suggestion = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('choice'),
    tool: z.string(),
    field: z.string(),
    value: z.string(),
    cues: z.array(z.string()).readonly(),
    ...suggested,
  }),
  z.strictObject({ kind: z.literal('note'), path: z.string(), content: z.string(), ...suggested }),
]);
export type Suggestion = z.infer<typeof Suggestion>;

/** What a dream can propose. */
export const Finding = z.discriminatedUnion('kind', [ChoiceInsight, RecoveryInsight, BaseRateInsight, NoteSuggestion]);
export type Finding = z.infer<typeof Finding>;

/** A process. On its machine another one sees whether it has ended. */
const Dreaming = z.object({ machine: z.string().max(200), pid: z.int().positive(), started: z.string().max(64).nullable() });

/**
 * A dream begins, and claims what it reviews: the dream `number` of a store has one stream, and one writer can begin it.
 */
export const DreamStarted = z.object({
  store_id: z.string(),
  /** Counted from 1, of all the dreams of the store. */
  number: z.int().positive(),
  /** Cursors mean something on this log only. */
  log_id: z.string(),
  /** It reviews the finished sessions with events after this cursor: of each partition of the log, how many events come before … */
  after: z.array(z.int().nonnegative()).min(1),
  /** … up to this one. */
  through: z.array(z.int().nonnegative()).min(1),
  /** Only these sessions, and each from its beginning. Such a dream leaves `after` of the next one where it was. */
  sessions: z.array(z.string()).max(5000).optional(),
  /** The process that dreams. */
  by: Dreaming.optional(),
  /** What was asked of it, so that another process can go on with it. A dream without them is not gone on with. */
  options: z
    .object({
      /** It looks at all that is known, however little is new. */
      thorough: z.boolean().optional(),
      /** How many rules of the operator it began with. Whoever goes on with it holds it against rules of its own. */
      rules: z.int().positive().optional(),
      /** Whom it asks for suggestions, in this order. */
      proposers: z.array(z.string().min(1).max(64)).max(20).optional(),
    })
    .optional(),
});
export type DreamStarted = z.infer<typeof DreamStarted>;

/** What was reviewed, in this order. A long review is recorded in parts. */
export const DreamReviewed = z.object({
  sessions: z.array(z.object({ session_id: z.string(), through_seq: z.int().positive() })).max(2000),
  decisions: z.int().nonnegative(),
  labelled: z.int().nonnegative(),
});
export type DreamReviewed = z.infer<typeof DreamReviewed>;

/** Another process goes on with a dream whose process has died. Whoever had it before can write no more. */
export const DreamClaimed = z.object({ by: Dreaming });
export type DreamClaimed = z.infer<typeof DreamClaimed>;

/** A proposer is about to be asked. An answer that never came is asked for again, with the same key. */
export const ProposalRequested = z.object({ proposer: z.string().min(1).max(64) });
export type ProposalRequested = z.infer<typeof ProposalRequested>;

/** Stands in the place of a suggestion that is none, or that may not be recorded: what is secret, or too large. */
export const WithheldSuggestion = z.strictObject({
  kind: z.literal('withheld'),
  /** Its place among the suggestions. */
  at: z.int().nonnegative(),
  /** The gate that stops it. */
  gate: z.enum(['secrets', 'shape']),
  reason: z.string().max(1000),
  /** The code of the error. */
  code: z.string().max(64),
});
export type WithheldSuggestion = z.infer<typeof WithheldSuggestion>;

/** What a proposer suggests, as the gates will judge it. A long answer is recorded in parts, in one append. */
export const ProposalAnswered = z.object({
  /** `caller`: whoever asked for the dream suggested it, and nobody was asked. */
  proposer: z.string().min(1).max(64),
  suggestions: z.array(z.discriminatedUnion('kind', [...Suggestion.options, WithheldSuggestion])),
  /** It failed, and has suggested nothing. It is not asked again by this dream. */
  error: z.object({ type: z.string(), message: z.string() }).optional(),
});
export type ProposalAnswered = z.infer<typeof ProposalAnswered>;

/** How many votes came out better and worse than with something else, and the chance of so many better ones if neither were better. */
const Comparison = z.strictObject({ better: z.int().nonnegative(), worse: z.int().nonnegative(), p: z.number().min(0).max(1) });

/** Whether what was learnt of a field is better than nothing, as far as the labelled decisions can tell. */
export const GuardReport = z.strictObject({
  tool: z.string(),
  field: z.string(),
  /** `blind` where of no decision it is known what the agent chooses without memory. */
  verdict: z.enum(['apply', 'abstain', 'blind']),
  /** Counted from 1, of all the looks at the lessons of the store. */
  look: z.int().positive(),
  lessons: z.int().nonnegative(),
  /** What `p` has to be below. */
  alpha: z.number(),
  /** Against what agents chose that were given no insights, … */
  without_memory: Comparison,
  /** … against the base rates of the values alone, … */
  base_rates: Comparison,
  /** … and against what the store tells, on the decisions since it was written. */
  present: Comparison,
});
export type GuardReport = z.infer<typeof GuardReport>;

/**
 * It is decided what the dream proposes. That is worked out again, on the same memory, by whoever goes on with it; where it comes
 * to something else, because rules or the program have changed, this event stands a second time and the newer one holds.
 */
export const DreamRefined = z.object({
  /** The last event of the store's stream that it was decided on. */
  memory_seq: z.int().nonnegative(),
  /** Whether it looked at all that is known, or judged only what was suggested. */
  looked: z.boolean(),
  /** So many insights follow. */
  insights: z.int().nonnegative(),
  /** Of what was decided. */
  sha256: z.string(),
  /** Of each field of which something was learnt; left out where nothing was looked at. */
  guard: z.array(GuardReport).max(1000).optional(),
});
export type DreamRefined = z.infer<typeof DreamRefined>;

/** What an insight says and what bears it out: in its patch, or here when it became none. */
const InsightContent = z.union([
  z.strictObject({
    patch_id: z.string(),
    /** Of the canonical JSON of the operations of the patch. */
    sha256: z.string(),
  }),
  z.strictObject({ insight: Finding, reason: z.string(), evidence: z.array(EvidenceRef) }),
]);

/** Something that the dream proposes, or that a gate stopped: `dream.insight_rejected` follows then. */
export const InsightProposed = z.object({
  insight_id: z.string(),
  content: InsightContent,
  change: z.enum(['add', 'replace', 'retire']),
  /**
   * `typed`: a fixed template with values of the tool's own; `untrusted`: free text, or what nobody has labelled. That
   * is never applied without a person.
   */
  tier: z.enum(['typed', 'untrusted']),
  /** What a suggestion says for itself. Nobody has checked it. */
  claim: z.string().max(4000).optional(),
});
export type InsightProposed = z.infer<typeof InsightProposed>;

/** An insight that a gate stopped before it became a patch. */
export const InsightRejected = z.object({ insight_id: z.string(), gates: z.array(GateVerdict) });
export type InsightRejected = z.infer<typeof InsightRejected>;

/** Why feedback, or a lesson that it gave, did not count. */
export const Uncounted = z.object({
  reason: z.enum([
    /** A store that applies changes by itself counts only principals that somebody has authenticated. */
    'claimed_principal',
    /** It is what customers say of their own sessions: it waits for a person. */
    'customer_label',
    /** The name of the principal or of the labeller is empty, or holds invisible or deceptive characters. */
    'deceptive_name',
    /** It names a field that the tool lacks, or a value that the field does not take. */
    'unknown_answer',
    /** It judges a message, or a call of a tool in which no field takes one of a few named values. */
    'no_decision',
    /** It says that the choice was wrong, and not what would have been right. */
    'no_answer',
    /** Somebody whose word has more weight has labelled the same decision. */
    'outranked',
    /** The same principal had taught every word of it for the same value before. */
    'duplicate',
  ]),
  count: z.int().positive(),
});
export type Uncounted = z.infer<typeof Uncounted>;

export const DreamCompleted = z.object({
  patch_ids: z.array(z.string()),
  insights: z.int().nonnegative(),
  rejected: z.int().nonnegative(),
  /** Of what this dream reviewed. */
  uncounted: z.array(Uncounted).optional(),
  /** Why it proposes nothing, when it does not. */
  nothing: z.string().max(1000).optional(),
});
export type DreamCompleted = z.infer<typeof DreamCompleted>;

export const DreamFailed = z.object({ error: z.object({ type: z.string(), message: z.string() }) });
export type DreamFailed = z.infer<typeof DreamFailed>;

/** Somebody called it off. What it reviewed is left for the next dream, and what it proposed stays. */
export const DreamCancelled = z.object({ by: z.string().min(1), reason: z.string().max(4000) });
export type DreamCancelled = z.infer<typeof DreamCancelled>;

export const DREAM_EVENTS = {
  'dream.started': DreamStarted,
  'dream.claimed': DreamClaimed,
  'dream.reviewed': DreamReviewed,
  'dream.proposal_requested': ProposalRequested,
  'dream.proposal_answered': ProposalAnswered,
  'dream.refined': DreamRefined,
  'dream.insight_proposed': InsightProposed,
  'dream.insight_rejected': InsightRejected,
  'dream.completed': DreamCompleted,
  'dream.failed': DreamFailed,
  'dream.cancelled': DreamCancelled,
} as const;
