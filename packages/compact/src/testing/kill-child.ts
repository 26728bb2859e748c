import {enableCompileCache} from "node:module";

// Compacts the bucket in DIR once: node kill-child.ts BUCKET-DIR DATA-DIR. Says "begin" when it begins, "end" at the end.
// Modules are loaded behind the cache of compiled code, which makes a start half as long.
enableCompileCache();
const {FilesystemBucket} = await import("@strata/objstore");
const {compactOnce} = await import("./kill-scenario.ts");
const [bucketDir = "", dataDir = ""] = process.argv.slice(2);
process.stdout.write("begin\n");
await compactOnce(new FilesystemBucket(bucketDir), dataDir, new AbortController().signal);
process.stdout.write("end\n");
