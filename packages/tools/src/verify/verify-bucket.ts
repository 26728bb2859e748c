import {mkdtemp, rm} from "node:fs/promises";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {StrataError} from "@strata/base";
import {duplicatedCompaction} from "./duplicates.ts";
import {indexKnownIssues} from "./index-issues.ts";
import type {Issue, VerifyContext} from "./issue.ts";
import {overlappedBlocks} from "./overlaps.ts";

const ISSUES: readonly Issue[] = [indexKnownIssues, overlappedBlocks, duplicatedCompaction];

/** The issues of the given names. Throws `bad_data` for one that is not known, or that no repair mends where one is asked for. */
export function issuesOf(names: readonly string[], repair: boolean): readonly Issue[] {
  return names.map((name) => {
    const issue = ISSUES.find(({id}) => id === name);
    if (issue === undefined || (repair && !issue.repairable)) {
      const known = ISSUES.filter(({repairable}) => !repair || repairable).map(({id}) => id);
      throw new StrataError(
        "bad_data",
        `no such issue ID ${name}${repair ? " that can be repaired" : ""}; known: ${known.join(", ")}`,
      );
    }
    return issue;
  });
}

/** Looks for issues, one after the other, and mends them where asked to. Compat: log lines are the original's. */
export async function verifyBucket(issues: readonly Issue[], context: Omit<VerifyContext, "tmpDir">): Promise<void> {
  // Compat: those that only look come first.
  const ordered = [...issues].sort((a, b) => Number(a.repairable) - Number(b.repairable));
  const logger = context.logger.with({verifiers: ordered.map(({id}) => id).join(",")});
  const task = context.repair ? "verify and repair" : "verify";
  if (context.repair) logger.warn("GLOBAL COMPACTOR SHOULD __NOT__ BE RUNNING ON THE SAME BUCKET");
  logger.info(`Starting ${task} task`);
  const tmpDir = await mkdtemp(join(tmpdir(), "strata-verify-"));
  try {
    for (const issue of ordered) {
      await issue.verify({...context, tmpDir, logger: logger.with({verifier: issue.id})});
    }
  } finally {
    await rm(tmpDir, {recursive: true, force: true});
  }
  logger.info(`${task} task completed`);
}
