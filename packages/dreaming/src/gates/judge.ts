import { checked, DreamfoldError, GateVerdict, type ErrorCode } from '@dreamfold/events';
import { contradiction, duplicate, outcomes } from './agreement.ts';
import { fail, type Candidate, type Gate, type GateContext, type Verdict } from './candidate.ts';
import { constitution } from './constitution.ts';
import { evidence, precision, quorum } from './evidence.ts';
import { guard } from './guard.ts';
import { overlap } from './words/overlap.ts';
import { secrets } from './words/secrets.ts';
import { shape, value } from './shape.ts';
import { phrases, taint } from './taint.ts';
import { trust, turning } from './trust.ts';
import { unicode } from './words/unicode.ts';

/** Cheapest first; what a reader could not see stands before all that shows it. */
const GATES = {
  unicode,
  secrets,
  shape,
  value,
  constitution,
  evidence,
  quorum,
  precision,
  overlap,
  duplicate,
  contradiction,
  outcomes,
  trust,
  turning,
  guard,
  taint,
  phrases,
} satisfies Readonly<Record<string, Gate>>;

export type GateName = keyof typeof GATES;
export const GATE_NAMES = Object.keys(GATES) as GateName[];

/** Dropped cues that a verdict names in its sentence. */
const TOLD_CUES = 3;

/**
 * Takes a candidate through the gates, up to the first one that it fails.
 * @param without gates that are left out: a test shows by it what each is good for
 */
export function judge(candidate: Candidate, context: GateContext, without: readonly GateName[] = []): GateVerdict[] {
  const gates: GateVerdict[] = [];
  for (const gate of GATE_NAMES) {
    if (without.includes(gate)) continue;
    const verdict = withheldBy(gate, candidate) ?? GATES[gate](candidate, context);
    gates.push({ gate, ...verdict, ...droppedBy(gate, candidate, verdict.reason) });
    if (!verdict.pass) break;
  }
  return gates;
}

/** What was suggested is not there any more to be judged: it was stopped before it was recorded. */
function withheldBy(gate: GateName, { misfit }: Candidate): Verdict | null {
  return misfit?.gate === gate ? fail(misfit.reason, misfit.code) : null;
}

function droppedBy(gate: GateName, { dropped = [] }: Candidate, reason: string): Pick<GateVerdict, 'dropped' | 'reason'> | null {
  const own = dropped.filter((cue) => cue.gate === gate).map(({ phrase, reason: why }) => ({ phrase, reason: why }));
  if (own.length === 0) return null;
  const told = own.slice(0, TOLD_CUES).map(({ phrase, reason: why }) => `"${phrase}" (${why})`);
  const more = own.length > told.length ? ` and ${own.length - told.length} more` : '';
  return { dropped: own, reason: `${reason} Dropped: ${told.join(', ')}${more}.` };
}

/** A retirement writes nothing, so only what it stands on is judged, and what it takes away. */
export function judgeRetirement(candidate: Candidate, context: GateContext, without: readonly GateName[] = []): GateVerdict[] {
  const all = [...GATE_NAMES.filter((gate) => gate !== 'evidence' && gate !== 'turning'), ...without];
  return judge(candidate, context, all);
}

export function hasPassed(gates: readonly GateVerdict[]): boolean {
  return gates.every((gate) => gate.pass);
}

const SUGGEST_AGAIN = 'Correct the suggestion and make it again; the dream that judged it lists what it stopped.';

/** What whoever sent a suggestion, or edited a proposal, is told when a gate stopped it; null when none did. */
export function verdictError(gates: readonly GateVerdict[], remedy = SUGGEST_AGAIN): DreamfoldError | null {
  checked(GateVerdict.array(), gates, { what: 'verdictError()', name: 'gates' });
  const failed = gates.find((gate) => !gate.pass);
  if (failed === undefined) return null;
  return new DreamfoldError((failed.code ?? 'precondition_failed') as ErrorCode, `The gate ${failed.gate} stops it: ${failed.reason}`, {
    path: failed.gate,
    remedy,
  });
}
