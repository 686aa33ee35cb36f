import { z } from 'zod';
import { EvidenceRef, GateVerdict } from './memory-events.ts';

/** A rule that the log bears out: when the request holds one of the cues, this value of this tool's field is right. */
export const ChoiceInsight = z.strictObject({
  kind: z.literal('choice'),
  id: z.string(),
  tool: z.string(),
  field: z.string(),
  value: z.string(),
  /** Lower-case phrases of at most three words. */
  cues: z.array(z.string().min(1).max(64)).min(1).max(64),
  support: z.strictObject({ sessions: z.int().nonnegative(), principals: z.int().nonnegative() }),
});
export type ChoiceInsight = z.infer<typeof ChoiceInsight>;

export const Insight = z.discriminatedUnion('kind', [ChoiceInsight]);
export type Insight = z.infer<typeof Insight>;

export const DreamStarted = z.object({
  store_id: z.string(),
  /** Sessions to review, each up to the seq it had when the dream began. */
  sessions: z.array(z.object({ session_id: z.string(), through_seq: z.int().positive() })),
  instructions: z.string().max(4096).optional(),
});
export type DreamStarted = z.infer<typeof DreamStarted>;

export const DreamReviewed = z.object({
  sessions: z.int().nonnegative(),
  decisions: z.int().nonnegative(),
  labelled: z.int().nonnegative(),
});
export type DreamReviewed = z.infer<typeof DreamReviewed>;

export const InsightProposed = z.object({
  insight: Insight,
  reason: z.string(),
  evidence: z.array(EvidenceRef),
});
export type InsightProposed = z.infer<typeof InsightProposed>;

/** An insight that a gate stopped before it became a patch. */
export const InsightRejected = z.object({ insight_id: z.string(), gates: z.array(GateVerdict) });
export type InsightRejected = z.infer<typeof InsightRejected>;

export const DreamCompleted = z.object({
  patch_ids: z.array(z.string()),
  insights: z.int().nonnegative(),
  rejected: z.int().nonnegative(),
});
export type DreamCompleted = z.infer<typeof DreamCompleted>;

export const DreamFailed = z.object({ error: z.object({ type: z.string(), message: z.string() }) });
export type DreamFailed = z.infer<typeof DreamFailed>;

export const DREAM_EVENTS = {
  'dream.started': DreamStarted,
  'dream.reviewed': DreamReviewed,
  'dream.insight_proposed': InsightProposed,
  'dream.insight_rejected': InsightRejected,
  'dream.completed': DreamCompleted,
  'dream.failed': DreamFailed,
} as const;
