export { describeLog } from './describe-log.ts';
export type { OpenLog } from './log-under-test.ts';
