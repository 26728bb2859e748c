import assert from "node:assert/strict";
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {type ScanCommand, scan} from "./scan.ts";
import {bool, content, type FlagTable, many, text} from "./spec.ts";

const flags = (table: FlagTable): FlagTable => table;
const ROOT: ScanCommand = {
  name: "strata",
  flags: flags({"log.level": text({help: "h"}), quiet: bool({short: "q", help: "h"})}),
  commands: [
    {
      name: "run",
      flags: flags({
        wait: bool({short: "w", help: "h"}),
        name: text({short: "n", help: "h"}),
        many: many(text({help: "h"})),
        config: content({help: "h"}),
        secret: text({hidden: true, help: "h"}),
      }),
      commands: [],
    },
    {name: "tools", flags: {}, commands: [{name: "bucket", flags: {}, commands: []}]},
  ],
};

const f = (argv: readonly string[], want: Readonly<Record<string, string>>) => {
  const {occurrences} = scan(argv, ROOT);
  assert.deepEqual(Object.fromEntries(occurrences.map((o) => [o.name, o.text])), want, argv.join(" "));
};
const fails = (argv: readonly string[], want: RegExp) => assert.throws(() => scan(argv, ROOT), want, argv.join(" "));

test("values stand behind = or in the next argument, also empty ones", () => {
  f(["run", "--name=a", "--many", "b"], {name: "a", many: "b"});
  f(["run", "--name="], {name: ""});
  f(["run", "--name=a=b"], {name: "a=b"});
  f(["run", "--name", "-"], {name: "-"});
});

test("global flags may stand before or after the command, command flags only after it", () => {
  f(["--log.level=x", "run"], {"log.level": "x"});
  f(["run", "--log.level", "x"], {"log.level": "x"});
  fails(["--name=a", "run"], /^StrataError: unknown long flag '--name'$/);
});

test("booleans are set by name, cleared with no-, and take no value", () => {
  f(["run", "--wait"], {wait: "true"});
  f(["run", "--no-wait"], {wait: "false"});
  fails(["run", "--wait=true"], /^StrataError: unexpected true$/);
  fails(["--quiet=true", "run"], /expected command but got "true"/);
  fails(["run", "--no-name"], /unknown long flag '--no-name'/);
});

test("short flags join, and take values attached or apart", () => {
  f(["run", "-wq"], {wait: "true", quiet: "true"});
  f(["run", "-nabc"], {name: "abc"});
  f(["run", "-wn", "abc"], {wait: "true", name: "abc"});
  fails(["run", "-x"], /unknown short flag '-x'/);
});

test("a value that starts with a dash needs the = form", () => {
  fails(["run", "--name", "-1d"], /expected argument for flag '--name'/);
  fails(["run", "--name"], /expected argument for flag '--name'$/);
  f(["run", "--name=-1d"], {name: "-1d"});
});

test("a content flag also declares the flag of its file", () => {
  f(["run", "--config-file=x", "--config=y"], {"config-file": "x", config: "y"});
});

test("unknown names are refused with the nearest known one, never a hidden one", () => {
  fails(["run", "--naem=1"], /unknown long flag '--naem', did you mean '--name'\?/);
  fails(["run", "--secrt=1"], /^StrataError: unknown long flag '--secrt'$/);
  fails(["rum"], /expected command but got "rum", did you mean "run"\?/);
  fails(["run", "more"], /unexpected more/);
});

test("an arguments file holds one argument a line", (t) => {
  const file = join(tempDir(t), "args");
  writeFileSync(file, "run\n# a remark\n--name\nwith space\n\n--many=1\n");
  f([`@${file}`, "--wait"], {name: "with space", many: "1", wait: "true"});
  fails(["@/nowhere/at/all"], /failed to open arguments file/);
});

test("the path of commands is what was named", () => {
  assert.deepEqual(
    scan(["tools", "bucket", "-q"], ROOT).path.map((c) => c.name),
    ["strata", "tools", "bucket"],
  );
});

test("plain arguments are taken between flags and after --, as many as the command has", () => {
  const show: ScanCommand = {name: "show", flags: ROOT.commands[0]?.flags ?? {}, commands: [], maxArgs: 2};
  const root = {...ROOT, commands: [show]};
  const args = (...argv: readonly string[]) => scan(["show", ...argv], root).args;
  assert.deepEqual(args("a", "--wait", "b"), ["a", "b"]);
  assert.deepEqual(args("--name", "x", "a"), ["a"]);
  assert.deepEqual(args("--", "-a", "--wait"), ["-a", "--wait"]);
  assert.deepEqual(args(), []);
  assert.throws(() => args("a", "b", "c"), /^StrataError: unexpected c$/);
});
