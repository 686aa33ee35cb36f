import { EvidenceRef, Finding, hasAtMost, type NewEvent, type NoteSuggestion } from '@dreamfold/events';
import { canonicalJson, utf8Bytes } from '@dreamfold/core';
import { hasPassed, type JudgedInsight } from '@dreamfold/dreaming';
import { dreamEvent } from './dream-stream.ts';

const MAX_CLAIM_CHARS = 4000;
/** An event has 256 KiB, and names up to a thousand others as evidence. */
const MAX_INSIGHT_BYTES = 48 * 1024;
const MAX_REFS = 1000;

/** The patch that an insight became, and the sha-256 of its operations. */
export interface PatchRef {
  id: string;
  sha256: string;
}

/**
 * What a dream's stream says of an insight: what it is stands in its patch. Where it became none, it stands here; what may not stand
 * here leaves only that there was one.
 */
export function insightEvents(judged: JudgedInsight, patch: PatchRef | null): NewEvent[] {
  const { insight, change, tier, reason, claim, evidence, gates } = judged;
  const isTold = patch !== null || isRecordable(judged);
  const content =
    patch !== null
      ? { patch_id: patch.id, sha256: patch.sha256 }
      : isTold
        ? { insight, reason, evidence }
        : { insight: withheld(judged), reason: 'It is not recorded.', evidence: [] };
  const said = claim === '' || !isTold ? {} : { claim };
  const proposed = dreamEvent('dream.insight_proposed', { insight_id: insight.id, content, change, tier, ...said });
  return hasPassed(gates) ? [proposed] : [proposed, dreamEvent('dream.insight_rejected', { insight_id: insight.id, gates })];
}

/** What is malformed has no place in an event, and a secret none on the log. */
function isRecordable({ insight, claim, evidence, gates }: JudgedInsight): boolean {
  const isSecret = gates.some(({ code }) => code === 'secret_detected');
  if (isSecret || !hasAtMost(claim, MAX_CLAIM_CHARS) || !areRefs(evidence)) return false;
  return Finding.safeParse(insight).success && utf8Bytes(canonicalJson(insight)) <= MAX_INSIGHT_BYTES;
}

function areRefs(evidence: readonly string[]): boolean {
  return evidence.length <= MAX_REFS && EvidenceRef.array().safeParse(evidence).success;
}

function withheld({ insight, gates }: JudgedInsight): NoteSuggestion {
  const why = gates.find((gate) => !gate.pass)?.reason ?? '';
  return { kind: 'note', id: insight.id, path: '/withheld', content: `A suggested ${insight.kind} is not recorded. ${why}` };
}
