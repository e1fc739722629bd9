import type { FullResult, Reporter, Suite } from "@playwright/test/reporter";

/** Says at the end how it went, in one line that programs can read. */
export default class Count implements Reporter {
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
    // A run that was broken off has not passed, whatever its tests say.
    const more = status !== "passed" && failed === 0 ? 1 : 0;
    process.stdout.write(`\n${passed} passed, ${failed + more} failed\n`);
  }

  printsToStdio() {
    return true;
  }
}
