import type {ValueType} from "./ast.ts";

/** What the type check knows of a function. Source: Prometheus 3.14, `promql/parser/functions.go`. */
export type FunctionSignature = {
  readonly name: string;
  readonly args: readonly ValueType[];
  /** 0: exactly `args`. n > 0: the last argument may be missing or come up to n times. -1: any number of times. */
  readonly variadic: number;
  readonly returns: ValueType;
  /** Behind `promql-experimental-functions`. */
  readonly experimental: boolean;
  /** One of Thanos' own (`xrate` …), behind `--query.enable-x-functions`. */
  readonly extended: boolean;
};

const TYPES = {S: "scalar", V: "vector", M: "matrix", T: "string"} as const;

/** `"V,S?"` style notation: S scalar, V vector, M matrix, T string; `?` optional, `…` or `…n` repeatable. */
function signature(name: string, notation: string, returns: ValueType = "vector"): FunctionSignature {
  const experimental = name.endsWith("*");
  const args: ValueType[] = [];
  let variadic = 0;
  for (const part of notation === "" ? [] : notation.split(",")) {
    args.push(TYPES[part[0] as keyof typeof TYPES]);
    const tail = part.slice(1);
    if (tail === "?") variadic = 1;
    else if (tail === "…") variadic = -1;
    else if (tail !== "") variadic = Number(tail.slice(1));
  }
  const plain = experimental ? name.slice(0, -1) : name;
  return {name: plain, args, variadic, returns, experimental, extended: EXTENDED.has(plain)};
}

const EXTENDED = new Set(["xrate", "xincrease", "xdelta"]);

const families: readonly [names: string, notation: string, returns?: ValueType][] = [
  ["abs ceil floor exp sqrt ln log2 log10 sgn rad deg", "V"],
  ["sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh", "V"],
  ["round", "V,S?"],
  ["clamp", "V,S,S"],
  ["clamp_min clamp_max", "V,S"],
  ["pi time start* end* range* step*", "", "scalar"],
  ["max_of* min_of*", "S,S", "scalar"],
  ["scalar", "V", "scalar"],
  ["vector", "S"],
  ["timestamp start_timestamp* absent sort sort_desc", "V"],
  ["minute hour day_of_week day_of_month day_of_year days_in_month month year", "V?"],
  ["absent_over_time present_over_time count_over_time last_over_time first_over_time", "M"],
  ["ts_of_first_over_time* ts_of_last_over_time* ts_of_max_over_time* ts_of_min_over_time*", "M"],
  ["max_over_time min_over_time sum_over_time avg_over_time stddev_over_time stdvar_over_time mad_over_time*", "M"],
  ["changes resets rate increase delta irate idelta deriv xrate xincrease xdelta", "M"],
  ["quantile_over_time", "S,M"],
  ["predict_linear", "M,S"],
  ["double_exponential_smoothing*", "M,S,S"],
  ["sort_by_label* sort_by_label_desc*", "V,T…"],
  ["label_replace", "V,T,T,T,T"],
  ["label_join", "V,T,T,T…"],
  ["histogram_count histogram_sum histogram_avg histogram_stddev histogram_stdvar", "V"],
  ["histogram_quantile", "S,V"],
  ["histogram_quantiles*", "V,T,S,S…9"],
  ["histogram_fraction", "S,S,V"],
  ["info*", "V,V?"],
];

const table = new Map<string, FunctionSignature>();
for (const [names, notation, returns] of families) {
  for (const name of names.split(" ")) {
    const s = signature(name, notation, returns);
    table.set(s.name, s);
  }
}

/** The function called `name` (case matters), flags not considered. */
export const functionSignature = (name: string): FunctionSignature | undefined => table.get(name);

/** Every function, experimental and extended ones included. */
export const functionSignatures = (): readonly FunctionSignature[] => [...table.values()];
