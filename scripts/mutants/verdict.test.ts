import { expect, test } from 'vitest';
import { verdictOn, type TestReport } from './verdict.ts';

function report(...statuses: string[]): TestReport {
  return {
    numPassedTests: statuses.filter((status) => status === 'passed').length,
    testResults: [
      {
        name: 'a.test.ts',
        message: 'x is not defined',
        assertionResults: statuses.map((status) => ({ status, fullName: `is ${status}` })),
      },
    ],
  };
}

test.each<[what: string, run: [report: TestReport | null, status: number | null], verdict: object]>([
  ['a test failed', [report('passed', 'failed', 'skipped'), 1], { is: 'killed', why: 'is failed' }],
  ['all passed', [report('passed', 'passed'), 0], { is: 'alive', why: '2 tests passed' }],
  ['a file did not load', [report(), 1], { is: 'broken', why: 'a.test.ts did not load: x is not defined' }],
  ['nothing ran', [report('skipped'), 0], { is: 'broken' }],
  ['all passed, and the run failed', [report('passed'), 1], { is: 'broken' }],
  ['there is no report', [null, 1], { is: 'broken' }],
  ['it was ended', [null, null], { is: 'broken', why: 'the run wrote no report and ended with a signal' }],
])('%s', (_what, run, verdict) => {
  expect(verdictOn(...run)).toMatchObject(verdict);
});
