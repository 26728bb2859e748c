export {bucketAcceptance} from "./acceptance.ts";
export {type BucketCall, FaultyBucket} from "./faulty.ts";
export {MemoryBucket} from "./memory.ts";
