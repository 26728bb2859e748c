// The first file of the thread that writes the demo history. It imports nothing of ours by itself: modules that come after
// the cache of compiled code is on start in a fraction of the time.
import {enableCompileCache} from "node:module";

enableCompileCache();
await import("./demo-worker.ts");
