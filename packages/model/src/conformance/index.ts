export { describeModel, type OpenedModel, type PlannedAnswer, type Runner } from './describe-model.ts';
