import {StrataError} from "@strata/base";
import {APPEND} from "@strata/tsdb";
import {LABEL_FAULT, type LabelFault} from "./label-bytes.ts";

const SAMPLE_FAULTS = [
  [APPEND.outOfOrder, "out of order sample"],
  [APPEND.duplicate, "duplicate sample for timestamp"],
  [APPEND.outOfBounds, "out of bounds"],
  [APPEND.tooOld, "too old sample"],
] as const;

const EXEMPLAR_FAULTS = [
  ["out_of_order", "out of order exemplar"],
  ["duplicate", "duplicate exemplar"],
  ["too_long", "label length for exemplar exceeds maximum of 128 UTF-8 characters"],
] as const;

/** What could not be written of one tenant's part of a request, by reason. The rest was. */
export class WriteReport {
  readonly labels: Record<LabelFault, number> = {outOfOrder: 0, duplicate: 0, empty: 0};
  /** By append status; see APPEND. */
  readonly samples: Uint32Array = new Uint32Array(8);
  readonly exemplars = {out_of_order: 0, duplicate: 0, too_long: 0};
  /** Series that the tenant's limits keep out, and why the first was. */
  limited = 0;
  limit = "";
  /** Histograms that make no sense: left out and counted, but no reason to send the request again. */
  badHistograms = 0;

  /** The failure that the sender has to know of; undefined when there is none. Compat: Thanos' words, in its order. */
  error(): StrataError | undefined {
    const reasons: string[] = [];
    for (const fault of ["outOfOrder", "duplicate", "empty"] as const) {
      if (this.labels[fault] > 0) reasons.push(`add ${this.labels[fault]} series: ${LABEL_FAULT[fault]}`);
    }
    for (const [status, text] of SAMPLE_FAULTS) {
      const n = this.samples[status] as number;
      if (n > 0) reasons.push(`add ${n} samples: ${text}`);
    }
    for (const [fault, text] of EXEMPLAR_FAULTS) {
      const n = this.exemplars[fault];
      if (n > 0) reasons.push(`add ${n} exemplars: ${text}`);
    }
    const conflicts = reasons.length > 0;
    if (this.limited > 0) reasons.push(`add ${this.limited} series: ${this.limit}`);
    if (reasons.length === 0) return undefined;
    return new StrataError(conflicts ? "conflict" : "limit", severalErrors(reasons));
  }
}

/** Several texts as one, each once. Compat: as Thanos puts errors together. */
export function severalErrors(texts: readonly string[]): string {
  const distinct = [...new Set(texts)];
  return distinct.length > 1 ? `${distinct.length} errors: ${distinct.join("; ")}` : (distinct[0] ?? "");
}
