import {StrataError} from "@strata/base";
import {format, type VectorSelector} from "@strata/promql";
import type {SeriesBatch} from "@strata/series";

type Size = {series: number; bytes: number};

/** How much each selector of a query has read so far, so that a query that was too large can say where it came from. */
export class SelectorSizes {
  readonly #of = new Map<VectorSelector, Size>();

  add(selector: VectorSelector, batch: SeriesBatch): void {
    let size = this.#of.get(selector);
    if (size === undefined) {
      size = {series: 0, bytes: 0};
      this.#of.set(selector, size);
    }
    size.series += batch.labels.length;
    size.bytes += batch.bytes.length;
  }

  /** The error about a byte limit with the selector in it that read most; any other error as it is. */
  explain(err: unknown): unknown {
    if (!(err instanceof StrataError) || err.code !== "limit") return err;
    const most = [...this.#of].sort(([, a], [, b]) => b.bytes - a.bytes || b.series - a.series)[0];
    if (most === undefined) return err;
    const [selector, {series, bytes}] = most;
    const text = format({...selector, offset: 0, offsetExpr: undefined, at: undefined, mode: ""});
    const read = `the biggest selector, ${text}, has read ${series} series and ${bytes} bytes of chunks`;
    return new StrataError("limit", `${err.message}; ${read}`, {
      fields: {...err.fields, selector: text, series, chunkBytes: bytes},
      cause: err,
    });
  }
}
