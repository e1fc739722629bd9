import type { FullResult, Reporter, Suite } from "@playwright/test/reporter";

/** Prints one machine-readable line at the end: `N passed, M failed`. */
export default class SummaryReporter implements Reporter {
  private suite: Suite | undefined;
  private strayErrors = 0;

  onBegin(_: unknown, suite: Suite) {
    this.suite = suite;
  }

  onError() {
    this.strayErrors++;
  }

  onEnd({ status }: FullResult) {
    const tests = this.suite?.allTests() ?? [];
    const passed = tests.filter((test) => test.outcome() === "expected" && test.results.length > 0).length;
    const failed = tests.length - passed + this.strayErrors;
    // An interrupted run has failed even if none of its tests did.
    const interrupted = status !== "passed" && failed === 0 ? 1 : 0;
    process.stdout.write(`\n${passed} passed, ${failed + interrupted} failed\n`);
  }

  printsToStdio() {
    return true;
  }
}
