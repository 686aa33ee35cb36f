import { z } from 'zod';

/** One operation of RFC 6902. */
export const PatchOperation = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('add'), path: z.string(), value: z.unknown() }),
  z.strictObject({ op: z.literal('remove'), path: z.string() }),
  z.strictObject({ op: z.literal('replace'), path: z.string(), value: z.unknown() }),
  z.strictObject({ op: z.literal('move'), from: z.string(), path: z.string() }),
  z.strictObject({ op: z.literal('copy'), from: z.string(), path: z.string() }),
  z.strictObject({ op: z.literal('test'), path: z.string(), value: z.unknown() }),
]);
export type PatchOperation = z.infer<typeof PatchOperation>;

/** An event of any stream, as evidence: `session/sesn_…#12`. */
export const EvidenceRef = z.string().regex(/^[a-z]+\/[A-Za-z0-9_-]+#[1-9][0-9]*$/, 'is not stream#seq');
export type EvidenceRef = z.infer<typeof EvidenceRef>;

export const StoreCreated = z.object({
  name: z.string().min(1).max(255),
  description: z.string().max(1024),
  /** `manual`: a person approves each patch that a dream proposes; `auto`: one that passes the gates is applied. */
  approval: z.enum(['manual', 'auto']),
});
export type StoreCreated = z.infer<typeof StoreCreated>;

export const PatchProposed = z.object({
  patch_id: z.string(),
  /** Hash of the document that the patch was made for. */
  base_hash: z.string(),
  operations: z.array(PatchOperation).min(1).max(50),
  /** Takes the document back to the base. */
  inverse: z.array(PatchOperation),
  reason: z.string().min(1).max(4000),
  evidence: z.array(EvidenceRef).max(1000),
  author: z.string().min(1),
  dream_id: z.string().optional(),
  /** The proposal that a person has edited into this one. */
  supersedes: z.string().optional(),
});
export type PatchProposed = z.infer<typeof PatchProposed>;

export const GateVerdict = z.object({
  gate: z.string(),
  pass: z.boolean(),
  reason: z.string(),
  /** It may pass, but only a person may apply it. */
  waits: z.boolean().optional(),
  /** Nothing is wrong for certain; the more kinds of alarm, the sooner whoever reviews looks at it. */
  alarms: z.array(z.string()).optional(),
  /** Cues that it took out of the insight, which goes on without them. What nobody should read is not repeated here. */
  dropped: z.array(z.object({ phrase: z.string(), reason: z.string() })).optional(),
  /** How many rules of the operator it was held against. */
  rules: z.int().nonnegative().optional(),
  /** The code of the error, when input that somebody sent is at fault. */
  code: z.string().optional(),
});
export type GateVerdict = z.infer<typeof GateVerdict>;

export const PatchValidated = z.object({ patch_id: z.string(), gates: z.array(GateVerdict) });
export type PatchValidated = z.infer<typeof PatchValidated>;

export const PatchApproved = z.object({ patch_id: z.string(), by: z.string().min(1), note: z.string().max(4000).optional() });
export type PatchApproved = z.infer<typeof PatchApproved>;

export const PatchRejected = z.object({ patch_id: z.string(), by: z.string().min(1), reason: z.string().min(1).max(4000) });
export type PatchRejected = z.infer<typeof PatchRejected>;

export const PatchApplied = z.object({ patch_id: z.string(), version: z.int().positive(), hash: z.string() });
export type PatchApplied = z.infer<typeof PatchApplied>;

export const PatchRolledBack = z.object({
  patch_id: z.string(),
  version: z.int().positive(),
  hash: z.string(),
  by: z.string().min(1),
  reason: z.string().min(1).max(4000),
});
export type PatchRolledBack = z.infer<typeof PatchRolledBack>;

/** Outcomes of sessions that were given an insight and followed it, since the last count; below zero where a label was corrected. */
export const InsightsCounted = z.object({
  dream_id: z.string(),
  counts: z.array(z.object({ insight_id: z.string(), helpful: z.int(), harmful: z.int() })).max(2000),
});
export type InsightsCounted = z.infer<typeof InsightsCounted>;

export const MEMORY_EVENTS = {
  'memory.store_created': StoreCreated,
  'memory.patch_proposed': PatchProposed,
  'memory.patch_validated': PatchValidated,
  'memory.patch_approved': PatchApproved,
  'memory.patch_rejected': PatchRejected,
  'memory.patch_applied': PatchApplied,
  'memory.patch_rolled_back': PatchRolledBack,
  'memory.insights_counted': InsightsCounted,
} as const;
