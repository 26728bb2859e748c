export {type ReplicateFilter, Replicator, type ReplicatorOptions} from "./replicate.ts";
export {type DeletionRequest, parseDeletionRequests} from "./rewrite/deletion-requests.ts";
export {type RewriteOptions, rewriteBlock} from "./rewrite/rewrite-block.ts";
export {type BucketRewriteOptions, rewriteInBucket} from "./rewrite/rewrite-in-bucket.ts";
export {type RuleTestOptions, runRuleTestFile} from "./rule-test/run-file.ts";
export type {TestFeatures} from "./rule-test/run-test.ts";
export type {Issue, VerifyContext} from "./verify/issue.ts";
export {issuesOf, verifyBucket} from "./verify/verify-bucket.ts";
