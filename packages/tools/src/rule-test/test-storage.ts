import type {FloatHistogram} from "@strata/engine";
import {asRead, fromScript, MemoryStore, type StoredSample} from "@strata/engine/testing";
import type {Labels} from "@strata/model";
import {parseSeriesDescription} from "@strata/promql/testing";
import type {Refused, RuleSamples, RuleStorage} from "@strata/rules";

const STALE = 0x7ff0000000000002n;

/** Series of a test with what is still to come of them. */
type Input = {readonly labels: Labels; readonly samples: readonly StoredSample[]; next: number};

/** What a test has loaded up to now, and what its rules have stored. */
export class TestStorage implements RuleStorage {
  readonly store = new MemoryStore([]);
  readonly #inputs: Input[];

  /** Values of the series are `intervalMs` apart, from `start` on. Throws `bad_data`. */
  constructor(
    series: readonly {readonly series: string; readonly values: string}[],
    intervalMs: number,
    start: number,
  ) {
    this.#inputs = series.map(({series: metric, values}) => {
      const description = parseSeriesDescription(`${metric} ${values}`);
      const samples: StoredSample[] = [];
      description.values.forEach((value, i) => {
        const t = start + i * intervalMs;
        if (value.kind === "float") samples.push({t, v: bitsOf(value.value)});
        else if (value.kind === "stale") samples.push({t, v: STALE});
        else if (value.kind === "histogram") samples.push({t, v: fromScript(value.histogram)});
      });
      return {labels: description.labels, samples: asRead(samples), next: 0};
    });
  }

  /** Loads the input up to a time, inclusive. */
  loadUntil(t: number): void {
    for (const input of this.#inputs) {
      for (; input.next < input.samples.length; input.next++) {
        const sample = input.samples[input.next]!;
        if (sample.t > t) break;
        this.store.append(input.labels, sample);
      }
    }
  }

  async append({t, labels, values, histograms}: RuleSamples): Promise<Refused> {
    const bits = new BigUint64Array(values.slice().buffer);
    let [outOfOrder, duplicate] = [0, 0];
    labels.forEach((each, i) => {
      const v: bigint | FloatHistogram = histograms?.get(i) ?? bits[i]!;
      const last = this.store.last(each);
      if (last !== undefined && last.t > t) outOfOrder++;
      else if (last?.t === t) duplicate += last.v === v ? 0 : 1;
      else this.store.append(each, {t, v});
    });
    return {outOfOrder, duplicate, tooOld: 0};
  }
}

function bitsOf(v: number): bigint {
  return new BigUint64Array(new Float64Array([v]).buffer)[0]!;
}
