// Makes a clone ready to run (`npm run setup`) and to test (`npm run setup:test`). Plain JavaScript that needs nothing
// but the machine's Node (20 or newer) and npm; ends in well under two seconds when there is nothing to do.
import {buildGenerated} from "./lib/builds.mjs";
import {installDebianPackages} from "./lib/debian.mjs";
import {inCi} from "./lib/exec.mjs";
import {alone} from "./lib/lock.mjs";
import {installDependencies} from "./lib/node-modules.mjs";
import {SetupError, say} from "./lib/progress.mjs";
import {installPythonTools} from "./lib/python.mjs";

async function main() {
  const forTests = process.argv.includes("--test");
  const absent = await alone(async () => {
    await installDependencies();
    await buildGenerated();
    return forTests ? [...(await installDebianPackages()), ...(await installPythonTools())] : [];
  });
  for (const {what, why, todo} of absent) say(`setup: no ${what}: ${why}; ${todo}; its tests will be skipped`);
  if (absent.length > 0 && inCi()) {
    say(`setup: CI is set, so nothing may be absent: ${absent.map(({what}) => what).join(", ")}`);
    process.exitCode = 1;
  }
}

try {
  await main();
} catch (err) {
  console.error(err instanceof SetupError ? `setup: ${err.message}` : err);
  process.exitCode = 1;
}
