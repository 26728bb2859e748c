// The second thread's first file: see `work/worker-entry.ts`.
import {enableCompileCache} from "node:module";

enableCompileCache();
await import("./downsample-thread-work.ts");
