/** Which parts of the language are on. All are off by default, as in Prometheus 3.14 without feature flags. */
export type ParseOptions = {
  /** `promql-experimental-functions`: functions and aggregators marked experimental. */
  readonly experimentalFunctions?: boolean | undefined;
  /** `promql-extended-range-selectors`: `anchored` and `smoothed`. */
  readonly extendedRangeSelectors?: boolean | undefined;
  /** `promql-binop-fill-modifiers`: `fill`, `fill_left`, `fill_right`. */
  readonly binopFillModifiers?: boolean | undefined;
  /** Thanos' `--query.enable-x-functions`: xrate, xincrease, xdelta. */
  readonly xFunctions?: boolean | undefined;
};
