// The thread's first file: what is loaded after it counts as the thread's work.
import os from "node:os";

/** A third of the weight of the main thread, which then answers probes, scrapes and other queries at once. */
const NICENESS = 5;

// Only Linux sets the calling thread's priority and no other's.
if (process.platform === "linux") os.setPriority(0, Math.min(19, os.getPriority(0) + NICENESS));
await import("./query-worker.ts");
