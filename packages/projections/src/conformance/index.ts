/**
 * What every place for projections has to do, as a test suite.
 * @module @dreamfold/projections/conformance
 */
export { describeProjectionStore, type OpenStore } from './describe-store.ts';
