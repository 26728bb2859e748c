import {join, normalize} from "node:path";
import {StrataError} from "@strata/base";
import {parsePrometheusDuration} from "@strata/model";
import type {Logger} from "@strata/telemetry";

export type UploadOptions = {
  /** `--tsdb.path` and `--shipper.meta-file-name`. */
  readonly tsdbPath: string;
  readonly metaFileName: string;
  /** `--shipper.ignore-unequal-block-size`. */
  readonly ignoreUnequalBlockSize: boolean;
};

const TWO_HOURS_MS = 2 * 3_600_000;

/**
 * Whether the flags of a Prometheus allow its blocks to be shipped (head-wal.md §11): it must not compact them first.
 * Throws `bad_data` saying which flag is wrong and what would be right; an unusual block length is only a warning.
 */
export function checkFlags(flags: Readonly<Record<string, string>>, options: UploadOptions, logger: Logger): void {
  const delayFile = flags["storage.tsdb.delay-compact-file.path"] ?? "";
  const stateFile = join(options.tsdbPath, options.metaFileName);
  if (delayFile !== "" && normalize(delayFile) !== normalize(stateFile)) {
    throw new StrataError(
      "bad_data",
      `cannot ship blocks: Prometheus delays compaction by ${delayFile}, but the shipper's state is in ${stateFile}; ` +
        "--storage.tsdb.delay-compact-file.path of Prometheus must name that file",
    );
  }
  const min = flags["storage.tsdb.min-block-duration"];
  const max = flags["storage.tsdb.max-block-duration"];
  if (min === undefined || max === undefined) return;
  const minMs = parsePrometheusDuration(min);
  if (delayFile === "" && minMs !== parsePrometheusDuration(max)) {
    const problem =
      `Prometheus compacts its blocks: --storage.tsdb.min-block-duration is ${min} and ` +
      `--storage.tsdb.max-block-duration is ${max}; set both to 2h`;
    if (!options.ignoreUnequalBlockSize) throw new StrataError("bad_data", `cannot ship blocks: ${problem}`);
    logger.warn("prometheus compacts its blocks; uploading all the same", {min, max});
  }
  if (minMs !== TWO_HOURS_MS) logger.warn("prometheus writes blocks of an unusual length", {min, want: "2h"});
}
