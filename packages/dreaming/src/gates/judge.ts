import { checked, DreamfoldError, GateVerdict, type ErrorCode } from '@dreamfold/events';
import { contradiction, duplicate, outcomes } from './agreement.ts';
import type { Candidate, Gate, GateContext } from './candidate.ts';
import { constitution } from './constitution.ts';
import { evidence, precision, quorum } from './evidence.ts';
import { overlap } from './overlap.ts';
import { secrets } from './secrets.ts';
import { shape, value } from './shape.ts';
import { phrases, taint } from './taint.ts';
import { unicode } from './unicode.ts';

/** Cheapest first; what a reader could not see stands before all that shows it. */
const GATES = {
  unicode,
  shape,
  value,
  constitution,
  evidence,
  quorum,
  precision,
  secrets,
  overlap,
  duplicate,
  contradiction,
  outcomes,
  taint,
  phrases,
} satisfies Readonly<Record<string, Gate>>;

export type GateName = keyof typeof GATES;
export const GATE_NAMES = Object.keys(GATES) as GateName[];

/**
 * Takes a candidate through the gates, up to the first one that it fails.
 * @param without gates that are left out: a test shows by it what each is good for
 */
export function judge(candidate: Candidate, context: GateContext, without: readonly GateName[] = []): GateVerdict[] {
  const verdicts: GateVerdict[] = [];
  for (const gate of GATE_NAMES) {
    if (without.includes(gate)) continue;
    const verdict = GATES[gate](candidate, context);
    verdicts.push({ gate, ...verdict });
    if (!verdict.pass) break;
  }
  return verdicts;
}

/** A retirement writes nothing, so only what it stands on is judged. */
export function judgeRetirement(candidate: Candidate, context: GateContext, without: readonly GateName[] = []): GateVerdict[] {
  return judge(candidate, context, [...GATE_NAMES.filter((gate) => gate !== 'evidence'), ...without]);
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
