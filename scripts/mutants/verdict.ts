/** What is read of the report of `vitest --reporter=json`. */
export interface TestReport {
  numPassedTests: number;
  testResults: readonly {
    name: string;
    message?: string;
    assertionResults: readonly { status: string; fullName: string }[];
  }[];
}

export interface Verdict {
  /** `broken`: the run ended without a test that failed or passed, which says nothing of the guard. */
  is: 'killed' | 'alive' | 'broken';
  /** The test that failed, or why the run is broken. */
  why: string;
}

/**
 * A mutant is killed by a test that ran and failed. A file that cannot be loaded fails too, whatever its tests promise.
 * @param report null when the run was ended before it wrote one
 * @param status the exit status of the run
 */
export function verdictOn(report: TestReport | null, status: number | null): Verdict {
  if (report === null) return { is: 'broken', why: `the run wrote no report and ended with ${status ?? 'a signal'}` };
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const failed = tests.find((one) => one.status === 'failed');
  if (failed !== undefined) return { is: 'killed', why: failed.fullName };
  const unloaded = report.testResults.find((file) => file.assertionResults.length === 0);
  if (unloaded !== undefined) return { is: 'broken', why: `${unloaded.name} did not load: ${unloaded.message ?? ''}`.split('\n')[0]! };
  if (status !== 0 || report.numPassedTests === 0) {
    return { is: 'broken', why: `${report.numPassedTests} tests passed, none failed, and the run ended with ${status ?? 'a signal'}` };
  }
  return { is: 'alive', why: `${report.numPassedTests} tests passed` };
}
