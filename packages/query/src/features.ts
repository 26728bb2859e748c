import type {Features} from "@strata/engine";
import type {ParseOptions} from "@strata/promql";
import type {Logger} from "@strata/telemetry";

type Chosen = {
  parse: {-readonly [K in keyof ParseOptions]: ParseOptions[K]};
  engine: Partial<Features>;
  /** `stats=all` tells of each step, too. */
  perStepStats: boolean;
};

const PARSE_FEATURES = {
  "promql-experimental-functions": "experimentalFunctions",
  "promql-extended-range-selectors": "extendedRangeSelectors",
  "promql-binop-fill-modifiers": "binopFillModifiers",
} as const satisfies Record<string, keyof ParseOptions>;

/** Names of old switches that are on for good; they change nothing. */
const ALWAYS_ON = ["promql-at-modifier", "promql-negative-offset", "promql-duration-expr", "query-pushdown"];

/** All that can be switched on. */
const KNOWN = [
  ...Object.keys(PARSE_FEATURES),
  ...["promql-all", "promql-delayed-name-removal", "promql-per-step-stats", "use-start-timestamps"],
];

/**
 * `--enable-feature`. `promql-all` switches on what extends the language; delayed name removal changes answers and goes
 * only by its own name. Unknown names are logged and change nothing, as in the original.
 */
export function featuresFrom(names: readonly string[], logger: Logger): Chosen {
  const chosen: Chosen = {parse: {}, engine: {}, perStepStats: false};
  for (const name of names) {
    if (name === "") continue;
    if (name === "promql-all") for (const key of Object.values(PARSE_FEATURES)) chosen.parse[key] = true;
    else if (name === "promql-delayed-name-removal") chosen.engine = {...chosen.engine, delayedNameRemoval: true};
    else if (name === "use-start-timestamps") chosen.engine = {...chosen.engine, startTimestamps: true};
    else if (name === "promql-per-step-stats") chosen.perStepStats = true;
    else if (name in PARSE_FEATURES) chosen.parse[PARSE_FEATURES[name as keyof typeof PARSE_FEATURES]] = true;
    else if (ALWAYS_ON.includes(name)) logger.info("this feature is always on", {feature: name});
    else logger.warn("unknown feature, ignored", {feature: name, known: KNOWN.join(" ")});
  }
  return chosen;
}
