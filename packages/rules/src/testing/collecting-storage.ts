import type {FloatHistogram} from "@strata/engine";
import type {Labels} from "@strata/model";
import {NOTHING_REFUSED, type Refused, type RuleSamples, type RuleStorage} from "../rule-io.ts";

export type CollectedSample = {
  readonly labels: Labels;
  readonly t: number;
  /** The value's bits. */
  readonly bits: bigint;
  readonly histogram: FloatHistogram | undefined;
};

/** A storage for tests that keeps everything in order. */
export class CollectingStorage implements RuleStorage {
  readonly samples: CollectedSample[] = [];

  async append({t, labels, values, histograms}: RuleSamples): Promise<Refused> {
    const bits = new BigUint64Array(values.slice().buffer);
    labels.forEach((each, i) => {
      this.samples.push({labels: each, t, bits: bits[i] as bigint, histogram: histograms?.get(i)});
    });
    return NOTHING_REFUSED;
  }
}
