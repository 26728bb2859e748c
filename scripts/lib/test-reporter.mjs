// A reporter of node:test that writes one JSON line per finished test, for scripts/test.mjs.
import {inspect} from "node:util";

export default async function* report(events) {
  // Names of the open suites and tests by nesting: `start` comes before any event of the children.
  const path = [];
  for await (const {type, data} of events) {
    if (type === "test:start") {
      path.length = data.nesting;
      path.push(data.name);
    }
    if (type !== "test:pass" && type !== "test:fail") continue;
    // A suite counts only where it stands for tests that did not run: skipped as a whole, or a hook of it failed.
    if (type === "test:pass" && data.details?.type === "suite" && data.skip === undefined) continue;
    // A parent fails because a child did; the child has been reported.
    if (type === "test:fail" && data.details?.error?.failureType === "subtestsFailed") continue;
    const line = {
      name: [...path.slice(0, data.nesting), data.name].join(" › "),
      ms: data.details?.duration_ms ?? 0,
      state: data.skip !== undefined || data.todo !== undefined ? "skip" : type === "test:pass" ? "pass" : "fail",
      reason:
        data.skip !== undefined ? text(data.skip) : data.todo !== undefined ? `todo: ${text(data.todo)}` : undefined,
      error: type === "test:fail" ? errorText(data.details?.error) : undefined,
    };
    yield `${JSON.stringify(line)}\n`;
  }
}

const text = (reason) => (typeof reason === "string" ? reason : "");

function errorText(error) {
  const cause = error?.code === "ERR_TEST_FAILURE" && error.cause !== undefined ? error.cause : error;
  return typeof cause === "string" ? cause : inspect(cause, {depth: 6});
}
