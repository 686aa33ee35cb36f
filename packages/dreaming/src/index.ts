export type { ChoiceProposal } from './choice.ts';
export { decideDream, type DreamDecision, type DreamInput, type JudgedInsight } from './dream.ts';
export { evolveDream, initialDream, type DreamState, type DreamtInsight } from './dream-state.ts';
export { episodeOf, type DecisionPoint, type Episode } from './episodes.ts';
export { CHOICE_PLAYBOOK } from './stored-choices.ts';
