// A component of its own process for the tests of the runtime: serves /slow until told to end by a second request.
import {plainText} from "@strata/web";
import {parseFlags} from "../flags/parse.ts";
import {scan} from "../flags/scan.ts";
import {globalFlags, grpcServerFlags, httpFlags, requestLogFlags} from "../flags/shared.ts";
import {runComponent} from "../runtime.ts";

const table = {...globalFlags, ...httpFlags, ...grpcServerFlags, ...requestLogFlags};
const {occurrences} = scan(process.argv.slice(2), {name: "fixture", flags: table, commands: []});
const {values, shown, notices, given} = parseFlags(table, occurrences);
const mode = process.env.FIXTURE_MODE ?? "";

process.exitCode = await runComponent({
  component: "fixture",
  context: {command: "fixture", flags: values, args: [], shownFlags: shown, notices, given},
  setup(runtime) {
    if (mode === "setup-fails") throw new Error("no such thing");
    if (mode === "unhandled") setTimeout(() => void Promise.reject(new Error("forgotten")), 1);
    const release = Promise.withResolvers<void>();
    runtime.router.get("/slow", async () => {
      runtime.log.info("slow request started");
      await release.promise;
      return plainText(200, "finished");
    });
    runtime.onReload(() => runtime.log.info("reloaded"));
    runtime.signal.addEventListener("abort", () => {
      if (mode !== "stuck") setTimeout(() => release.resolve(), 20);
    });
    runtime.api({cors: true});
    runtime.probes.setReady();
    return {
      async run(signal) {
        if (mode === "run-fails") throw new Error("work went wrong");
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      },
      close: () => runtime.log.info("closed"),
    };
  },
});
