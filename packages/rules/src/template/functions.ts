import {parsePrometheusDuration} from "@strata/model";
import {callError} from "./call-error.ts";
import {
  durationOf,
  humanize,
  humanize1024,
  humanizeDuration,
  humanizePercentage,
  humanizeTimestamp,
  timeOf,
  toFloat,
} from "./number-functions.ts";
import {
  graphLink,
  matches,
  queryEscape,
  replaceAll,
  stripDomain,
  stripPort,
  tableLink,
  titleCase,
} from "./text-functions.ts";
import {GoMap, type GoSample, type Value} from "./values.ts";

/** What functions need to know of the evaluation. */
export type FunctionContext = {
  /** Evaluation time, ms. */
  readonly t: number;
  /** An instant query at that time. */
  query(expr: string): readonly GoSample[];
  /** undefined: there is none, and the functions that need it fail. Compat: so it is in Thanos. */
  readonly externalUrl: string | undefined;
  /** What a field of a map[string]string is that is not there: "" as Prometheus has it, or nil as Go's own default. */
  readonly missingKeys?: "nil" | undefined;
};

/** What an argument has to be. */
export type Parameter = "string" | "any" | "list" | "sample";

export type TemplateFunction = {
  readonly params: readonly Parameter[];
  /** Any number of further arguments. */
  readonly variadic?: boolean;
  call(args: readonly Value[], context: FunctionContext): Value;
};

/** Compat: what Go says of a missing URL object. */
const NO_URL = "runtime error: invalid memory address or nil pointer dereference";

const ofText = (call: (text: string) => Value): TemplateFunction => ({
  params: ["string"],
  call: ([text]) => call(text as string),
});
const ofNumber = (call: (v: Value) => Value): TemplateFunction => ({params: ["any"], call: ([v]) => call(v)});

/** The functions that Prometheus adds to templates. */
export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  query: {params: ["string"], call: ([expr], {query}) => query(expr as string)},
  first: {
    params: ["list"],
    call([list]) {
      const [head] = list as readonly Value[];
      if (head === undefined) throw callError("first() called on vector with no elements");
      return head;
    },
  },
  label: {params: ["string", "sample"], call: ([name, s]) => labelOf(s, name as string)},
  value: {params: ["sample"], call: ([s]) => (s as GoSample).value},
  strvalue: {params: ["sample"], call: ([s]) => labelOf(s, "__value__")},
  sortByLabel: {
    params: ["string", "list"],
    call([name, list]) {
      const key = (s: Value): string => labelOf(s, name as string) as string;
      return [...(list as readonly Value[])].sort((a, b) => Buffer.compare(Buffer.from(key(a)), Buffer.from(key(b))));
    },
  },
  args: {
    params: [],
    variadic: true,
    call: (args) => new GoMap(new Map(args.map((arg, i) => [`arg${i}`, arg])), true),
  },
  humanize: ofNumber(humanize),
  humanize1024: ofNumber(humanize1024),
  humanizeDuration: ofNumber(humanizeDuration),
  humanizePercentage: ofNumber(humanizePercentage),
  humanizeTimestamp: ofNumber(humanizeTimestamp),
  toTime: ofNumber((v) => timeOf(toFloat(v))),
  toDuration: ofNumber((v) => durationOf(toFloat(v))),
  now: {params: [], call: (_, {t}) => t / 1000},
  parseDuration: ofText((text) => {
    const negative = text.startsWith("-");
    const ms = parsePrometheusDuration(negative ? text.slice(1) : text);
    return (negative ? -ms : ms) / 1000;
  }),
  title: ofText(titleCase),
  toUpper: ofText((text) => text.toUpperCase()),
  toLower: ofText((text) => text.toLowerCase()),
  match: {params: ["string", "string"], call: ([pattern, text]) => matches(pattern as string, text as string)},
  reReplaceAll: {
    params: ["string", "string", "string"],
    call: ([pattern, by, text]) => replaceAll(pattern as string, by as string, text as string),
  },
  graphLink: ofText(graphLink),
  tableLink: ofText(tableLink),
  stripPort: ofText(stripPort),
  stripDomain: ofText(stripDomain),
  safeHtml: ofText((text) => text),
  urlQueryEscape: ofText(queryEscape),
  externalURL: {params: [], call: (_, {externalUrl}) => needUrl(externalUrl)},
  pathPrefix: {params: [], call: (_, {externalUrl}) => new URL(needUrl(externalUrl)).pathname.replace(/\/$/, "")},
};

function needUrl(url: string | undefined): string {
  if (url === undefined) throw callError(NO_URL);
  return url;
}

const labelOf = (s: Value, name: string): Value => (s as GoSample).labels.entries.get(name) ?? "";
