/**
 * What every log has to do, as a test suite.
 * @module @dreamfold/log/conformance
 */
export { describeLog } from './describe-log.ts';
export type { OpenLog } from './log-under-test.ts';
