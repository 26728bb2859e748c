import assert from "node:assert/strict";
import {test} from "node:test";
import {errorCode} from "@strata/base";
import fc from "fast-check";
import {parseFlags} from "./parse.ts";
import {type ScanCommand, scan} from "./scan.ts";
import {globalFlags} from "./shared.ts";
import {storeFlags} from "./store.ts";

const root: ScanCommand = {
  name: "strata",
  flags: globalFlags,
  commands: [{name: "store", flags: storeFlags, commands: []}],
};
const table = {...globalFlags, ...storeFlags};
const names = Object.keys(table);

/** Arguments that come near to what is allowed: known names, broken names, values of all kinds. */
const argument = fc.oneof(
  fc.constantFrom(...names).map((n) => `--${n}`),
  fc.constantFrom(...names).map((n) => `--no-${n}`),
  fc.tuple(fc.constantFrom(...names), fc.string()).map(([n, v]) => `--${n}=${v}`),
  fc
    .tuple(fc.constantFrom(...names), fc.constantFrom("1h", "-1d", "5MB", "0", "x", "true", "2024-01-01T00:00:00Z"))
    .map(([n, v]) => `--${n}=${v}`),
  fc.constantFrom("store", "-h", "-x", "--", "-", "--=", "---", "@", "help"),
  fc.string({unit: "binary"}).filter((s) => !s.startsWith("@")),
);

test("any command line is values or a bad_data error, nothing else", () => {
  fc.assert(
    fc.property(fc.array(argument, {maxLength: 8}), (argv) => {
      try {
        const {occurrences} = scan(argv, root);
        const {values, shown} = parseFlags(table, occurrences);
        for (const name of names) assert.ok(name in values, name);
        for (const text of Object.values(shown)) assert.equal(typeof text, "string");
      } catch (err) {
        assert.equal(errorCode(err), "bad_data", String(err));
      }
    }),
    {numRuns: 2000},
  );
});

test("a value given for a plain flag arrives as it was written", () => {
  fc.assert(
    fc.property(fc.string({unit: "grapheme"}), (value) => {
      const argv = ["store", "--objstore.config=x", `--data-dir=${value}`];
      assert.equal(parseFlags(table, scan(argv, root).occurrences).values["data-dir"], value);
    }),
  );
});
