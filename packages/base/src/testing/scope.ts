/**
 * What the helpers need of a test: something that runs a function when it is over. node:test's TestContext is one; in
 * a suite, `{after}` with the imported hook of node:test is another.
 */
export type TestScope = {
  after(fn: () => void | Promise<void>): void;
};
