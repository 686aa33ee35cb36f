/**
 * What a dream does, as pure functions.
 * @module @dreamfold/dreaming
 */
export { fitChoices, type ChoiceFit, type FitLesson } from './learn/fit/choice-fit.ts';
export { bestTold, tableOf, type ChoiceTable } from './learn/fit/choice-table.ts';
export { judgeChange } from './learn/guard/judge-change.ts';
export { evolveGuard, UNGUARDED, type GuardLife } from './learn/guard/guard-life.ts';
export { guardText } from './gates/guard.ts';
export type { Suggestion } from '@dreamfold/events';
export { decideDream, type DreamIntent } from './decide-dream.ts';
export { decideInsights, type DreamDecision, type DreamInput, type JudgedInsight, type SettledInsight } from './decide-insights.ts';
export { evolveDream, initialDream, type DreamAnswer, type DreamState, type DreamtInsight } from './dream-state.ts';
export type { DecisionPoint, Episode, ErrorPoint } from './episodes/episode.ts';
export { checkWrite } from './gates/check-write.ts';
export { forbiddenPhrase, type Constitution, type ConstitutionRule, type MemoryChange } from './gates/constitution.ts';
export { hasPassed, verdictError, type GateName } from './gates/judge.ts';
export { judgeEdit, type JudgedEdit } from './judge-edit.ts';
export { learn, newKnowledge, type Knowledge } from './learn/knowledge.ts';
export { tooLittleNew, whyNothing } from './nothing.ts';
export { newCounts, storedValues } from './learn/outcomes.ts';
export { CHOICE_PLAYBOOK, RECOVERY_PLAYBOOK } from './playbook-pages.ts';
export { SUPERSEDED, findingIn, priorProposal, proposedPatches, type PriorProposal } from './prior-proposals.ts';
export { recoveryAccuracy, type RecordedErrors, type RecoveryAccuracy } from './learn/recovery-accuracy.ts';
export { enumeratedFields, SessionReader } from './episodes/session-reader.ts';
export { parseRef, readSuggestions, recordableParts, type Cited, type CitedSession, type TakenSuggestion } from './suggestion.ts';
