// The thread's first file. It imports nothing of ours by itself: modules that come after the cache of compiled code is
// on are taken from it, types stripped, which makes a start cost 0.2 s of CPU time instead of 0.5 s.
import module from "node:module";
import os from "node:os";

/** A third of the weight of the main thread, which then answers probes, scrapes and other queries at once. */
const NICENESS = 5;

module.enableCompileCache();
// Only Linux sets the calling thread's priority and no other's.
if (process.platform === "linux") os.setPriority(0, Math.min(19, os.getPriority(0) + NICENESS));
await import("./query-worker.ts");
