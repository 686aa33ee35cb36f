/**
 * What every model has to do, as tests.
 * @module @dreamfold/model/conformance
 */
export { describeModel, type OpenedModel, type PlannedAnswer, type Runner } from './describe-model.ts';
