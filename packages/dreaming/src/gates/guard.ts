import type { GuardReport } from '@dreamfold/events';
import { neededAtLook } from '../learn/guard/judge-change.ts';
import { pass, type Candidate, type GateContext, type Verdict } from './candidate.ts';

/**
 * What is learnt of a field as a whole has to win against no memory. Where a person decides, it only says how far that is proved; in a
 * store that applies changes by itself, what is not proved is not even proposed, and where nobody can tell, a person decides.
 */
export function guard({ finding, origin }: Candidate, { guarded }: GateContext): Verdict {
  if (origin === 'suggested' || (finding.kind !== 'choice' && finding.kind !== 'base_rate')) return pass('Other gates judge it.');
  const report = guarded(finding);
  if (report === null) return pass('Nothing was looked at.');
  if (report.verdict === 'blind') return { pass: true, waits: true, reason: guardText(report) };
  return pass(guardText(report));
}

/** What the guard has found, in a sentence. */
export function guardText(report: GuardReport): string {
  const { verdict, look, lessons, alpha, without_memory: own, base_rates: rates, present } = report;
  const counts = ({ better, worse }: GuardReport['present']): string => `${better} better, ${worse} worse`;
  const about = `look ${look} at ${lessons} labelled decisions`;
  if (verdict === 'blind') return `Nobody knows what agents choose without memory (${about}): a person decides.`;
  const found = `${counts(own)} than without memory, ${counts(rates)} than by base rates alone`;
  if (verdict === 'apply') return `Proved: ${found} (${about}, p below ${alpha.toPrecision(2)}).`;
  const worse = present.worse > present.better ? `; ${counts(present)} than what the store tells` : '';
  return `Not proved yet: ${found}${worse} (${about}); ${neededAtLook(look)} to 0 would do.`;
}
