// The thread's first file. It imports nothing of ours by itself: modules that come after the cache of compiled code is
// on start in a fraction of the time.
import {enableCompileCache} from "node:module";

enableCompileCache();
await import("./worker.ts");
