import {errorText} from "@strata/base";
import {goQuote, Labels, METRIC_NAME, parsePrometheusDuration} from "@strata/model";
import {type Expr, format, type ParseOptions, parseExpr} from "@strata/promql";
import type {Node} from "yaml";
import type {RuleFileError} from "./rule-file-error.ts";
import type {AlertingSpec, GroupSpec, RecordingSpec, RuleSpec, Strategy} from "./rule-spec.ts";
import {RuleTemplate} from "./template/expand.ts";
import {type Place, YamlReader} from "./yaml-reader.ts";

export type RuleFileOptions = {
  /** Features that expressions may use. */
  readonly parse?: ParseOptions | undefined;
  /**
   * Read unquoted texts as YAML 1.1 values first (`yes` → `true`, `010` → `8`), as Thanos does on the way to its rule
   * engine; Prometheus and the default do not.
   */
  readonly retypeScalars?: boolean | undefined;
  /** Whether `partial_response_strategy` is known. On by default. */
  readonly strategies?: boolean | undefined;
  /** Pass over fields that are not known. */
  readonly unknownFields?: boolean | undefined;
  /** Also read Kubernetes manifests of kind PrometheusRule, any number in a file. */
  readonly manifests?: boolean | undefined;
};

/** What a file holds. Groups with errors are left out of `groups`. */
export type RuleFile = {
  readonly groups: readonly GroupSpec[];
  readonly errors: readonly RuleFileError[];
  /** Things that are fine but not wanted, such as a second YAML document. */
  readonly warnings: readonly string[];
  /** Rules seen, faulty ones too. */
  readonly rules: number;
};

/** Reads the text of a rule file and finds everything that is wrong with it. Never throws. */
export function parseRuleFile(file: string, text: string, options: RuleFileOptions = {}): RuleFile {
  return new FileReader(file, text, options).read();
}

const GROUP_FIELDS = ["name", "interval", "query_offset", "limit", "labels", "rules"];
const RULE_FIELDS = ["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"];

/** A mapping's fields by name. */
type Fields = ReadonlyMap<string, {readonly place: Place; readonly value: Node | null}>;
/** Where errors belong. */
type Where = {group?: string; rule?: number; ruleName?: string};

class FileReader {
  readonly #file: string;
  readonly #options: RuleFileOptions;
  readonly #yaml: YamlReader;
  readonly #errors: RuleFileError[] = [];
  #rules = 0;

  constructor(file: string, text: string, options: RuleFileOptions) {
    this.#file = file;
    this.#options = options;
    this.#yaml = new YamlReader(text, {
      retype: options.retypeScalars === true,
      all: options.manifests === true,
    });
  }

  read(): RuleFile {
    for (const fault of this.#yaml.faults) this.#fail(fault, {}, fault.message);
    if (this.#yaml.faults.length > 0) return this.#result([], []);
    const {documents} = this.#yaml;
    if (this.#options.manifests === true && documents.some((each) => this.#isManifest(this.#yaml.open(each)))) {
      return this.#result(
        documents.flatMap((each) => this.#manifest(this.#yaml.open(each))),
        [],
      );
    }
    const more = documents.length > 1;
    const warnings = more ? [`${this.#file}: only the first of ${documents.length} YAML documents is used`] : [];
    return this.#result(this.#groups(this.#yaml.open(documents[0])), warnings);
  }

  #result(groups: GroupSpec[], warnings: string[]): RuleFile {
    return {groups, errors: this.#errors, warnings, rules: this.#rules};
  }

  #field(node: Node | null, key: string): Node | null {
    return this.#yaml.entries(node)?.find((entry) => entry.key === key)?.value ?? null;
  }

  #isManifest(node: Node | null): boolean {
    return this.#yaml.text(this.#field(node, "kind")) !== "" && this.#field(node, "groups") === null;
  }

  /** The groups of a PrometheusRule, or of a list of such; other kinds are none of our business. */
  #manifest(node: Node | null): GroupSpec[] {
    const kind = this.#yaml.text(this.#field(node, "kind"));
    if (kind === "PrometheusRule") return this.#groups(this.#field(node, "spec"));
    if (kind !== "List" && kind !== "PrometheusRuleList") return [];
    return (this.#yaml.items(this.#field(node, "items")) ?? []).flatMap((item) => this.#manifest(item));
  }

  #fail(place: Place, where: Where, message: string): void {
    this.#errors.push({
      file: this.#file,
      line: place.line,
      column: place.column,
      group: where.group,
      rule: where.rule,
      ruleName: where.ruleName ?? "",
      message,
    });
  }

  #groups(root: Node | null): GroupSpec[] {
    if (this.#yaml.isNull(root)) return [];
    const fields = this.#fields(root, ["groups"], {}, "rulefmt.RuleGroups");
    const list = fields?.get("groups");
    if (list === undefined || this.#yaml.isNull(list.value)) return [];
    const items = this.#yaml.items(list.value);
    if (items === undefined) {
      this.#fail(list.place, {}, "groups is not a list");
      return [];
    }
    const names = new Set<string>();
    return items.flatMap((item) => {
      const before = this.#errors.length;
      const group = this.#group(item, names);
      return group === undefined || this.#errors.length > before ? [] : [group];
    });
  }

  #group(node: Node | null, names: Set<string>): GroupSpec | undefined {
    const place = this.#yaml.place(node);
    const known = this.#options.strategies === false ? GROUP_FIELDS : [...GROUP_FIELDS, "partial_response_strategy"];
    const nameNode = this.#yaml.entries(node)?.find((entry) => entry.key === "name")?.value ?? null;
    const name = this.#yaml.text(nameNode) ?? "";
    const where: Where = name === "" ? {} : {group: name};
    const fields = this.#fields(node, known, where, "rulefmt.RuleGroup");
    if (fields === undefined) return undefined;
    if (name === "") this.#fail(place, {}, "Groupname must not be empty");
    else if (names.has(name)) this.#fail(place, {}, `groupname: "${name}" is repeated in the same file`);
    names.add(name);
    const labels = this.#labels(fields, "labels", where);
    this.#checkLabels(labels, fields.get("labels")?.place ?? place, where);
    return {
      file: this.#file,
      name,
      intervalMs: this.#interval(fields, where),
      queryOffsetMs: this.#duration(fields, "query_offset", where),
      limit: this.#limit(fields, where),
      strategy: this.#strategy(fields, where),
      rules: this.#ruleList(fields, labels, where),
      line: place.line,
    };
  }

  #interval(fields: Fields, where: Where): number | undefined {
    // Zero means the default, as in Prometheus.
    return this.#duration(fields, "interval", where) || undefined;
  }

  #limit(fields: Fields, where: Where): number {
    const field = fields.get("limit");
    if (field === undefined || this.#yaml.isNull(field.value)) return 0;
    const text = this.#yaml.text(field.value) ?? "";
    const limit = Number(text.replaceAll("_", ""));
    if (text === "" || !Number.isSafeInteger(limit)) this.#fail(field.place, where, `limit is not a whole number`);
    return limit;
  }

  #strategy(fields: Fields, where: Where): Strategy {
    const field = fields.get("partial_response_strategy");
    if (field === undefined) return "abort";
    const text = this.#yaml.text(field.value) ?? "";
    const lower = text.toLowerCase();
    if (lower === "abort" || lower === "warn") return lower;
    if (text === "") return "abort";
    const problem = `failed to unmarshal ${goQuote(text)} as 'partial_response_strategy'. Possible values are ABORT,WARN`;
    this.#fail(field.place, where, problem);
    return "abort";
  }

  #ruleList(fields: Fields, labels: ReadonlyMap<string, string>, where: Where): RuleSpec[] {
    const field = fields.get("rules");
    if (field === undefined || this.#yaml.isNull(field.value)) return [];
    const items = this.#yaml.items(field.value);
    if (items === undefined) {
      this.#fail(field.place, where, "rules is not a list");
      return [];
    }
    return items.flatMap((item, i) => this.#rule(item, labels, {...where, rule: i + 1}) ?? []);
  }

  #rule(node: Node | null, groupLabels: ReadonlyMap<string, string>, where: Where): RuleSpec | undefined {
    this.#rules++;
    const place = this.#yaml.place(node);
    const peek = (key: string): string => {
      const entry = this.#yaml.entries(node)?.find((each) => each.key === key);
      return entry === undefined ? "" : (this.#yaml.text(entry.value) ?? "");
    };
    const [record, alert] = [peek("record"), peek("alert")];
    const at: Where = {...where, ruleName: alert === "" ? record : alert};
    const fields = this.#fields(node, RULE_FIELDS, at, "rulefmt.Rule");
    if (fields === undefined) return undefined;
    const placeOf = (key: string): Place => this.#valuePlace(fields, key) ?? place;
    if (record !== "" && alert !== "") {
      this.#fail(placeOf("record"), at, "only one of 'record' and 'alert' must be set");
    }
    if (record === "" && alert === "") this.#fail(place, at, "one of 'record' or 'alert' must be set");
    const expr = this.#expr(fields, place, at);
    const [forMs, keepFiringForMs] = [
      this.#duration(fields, "for", at) ?? 0,
      this.#duration(fields, "keep_firing_for", at) ?? 0,
    ];
    const labels = this.#labels(fields, "labels", at);
    const annotations = this.#labels(fields, "annotations", at);
    if (record !== "") {
      const useless = {annotations: annotations.size, for: forMs, keep_firing_for: keepFiringForMs};
      for (const [key, value] of Object.entries(useless)) {
        if (value !== 0) this.#fail(placeOf("record"), at, `invalid field '${key}' in recording rule`);
      }
      this.#checkRecordName(record, placeOf("record"), at);
    }
    this.#checkLabels(labels, placeOf("labels"), at);
    for (const key of annotations.keys()) {
      if (!isLabelName(key)) this.#fail(placeOf("annotations"), at, `invalid annotation name: ${key}`);
    }
    if (alert !== "") {
      this.#checkTemplates("label", labels, placeOf("labels"), alert, at);
      this.#checkTemplates("annotation", annotations, placeOf("annotations"), alert, at);
    }
    if (expr === undefined) return undefined;
    const shared = {
      expr,
      query: format(expr),
      labels: Labels.fromPairs([...groupLabels, ...labels]),
      line: place.line,
    };
    if (alert === "") return {kind: "recording", name: record, ...shared} satisfies RecordingSpec;
    return {
      kind: "alerting",
      name: alert,
      ...shared,
      forMs,
      keepFiringForMs,
      annotations: Labels.fromPairs(annotations),
    } satisfies AlertingSpec;
  }

  #valuePlace(fields: Fields, key: string): Place | undefined {
    const field = fields.get(key);
    if (field === undefined) return undefined;
    return field.value === null ? field.place : this.#yaml.place(field.value);
  }

  #expr(fields: Fields, place: Place, where: Where): Expr | undefined {
    const field = fields.get("expr");
    const text = field === undefined ? "" : this.#yaml.text(field.value);
    const at = this.#valuePlace(fields, "expr") ?? place;
    if (text === undefined) this.#fail(at, where, "expr is not a text");
    else if (text === "") this.#fail(at, where, "field 'expr' must be set in rule");
    else {
      try {
        return parseExpr(text, this.#options.parse);
      } catch (err) {
        this.#fail(at, where, `could not parse expression: ${errorText(err)}`);
      }
    }
    return undefined;
  }

  #checkRecordName(record: string, place: Place, where: Where): void {
    if (!record.isWellFormed()) this.#fail(place, where, `invalid recording rule name: ${record}`);
    if (/[{}]/.test(record)) {
      this.#fail(place, where, `braces present in the recording rule name; should it be in expr?: ${record}`);
    }
  }

  #checkLabels(labels: ReadonlyMap<string, string>, place: Place, where: Where): void {
    for (const [name, value] of labels) {
      if (!isLabelName(name) || name === METRIC_NAME) this.#fail(place, where, `invalid label name: ${name}`);
      if (!value.isWellFormed()) this.#fail(place, where, `invalid label value: ${value}`);
    }
  }

  #checkTemplates(what: string, texts: ReadonlyMap<string, string>, place: Place, alert: string, where: Where): void {
    for (const [key, text] of texts) {
      const {fault} = new RuleTemplate(alert, text);
      if (fault !== undefined) this.#fail(place, where, `${what} ${goQuote(key)}: ${fault}`);
    }
  }

  #duration(fields: Fields, key: string, where: Where): number | undefined {
    const field = fields.get(key);
    if (field === undefined || this.#yaml.isNull(field.value)) return undefined;
    try {
      return parsePrometheusDuration(this.#yaml.text(field.value) ?? "");
    } catch (err) {
      this.#fail(field.place, where, `${key}: ${errorText(err)}`);
      return undefined;
    }
  }

  /** A mapping of texts. */
  #labels(fields: Fields, key: string, where: Where): Map<string, string> {
    const field = fields.get(key);
    const labels = new Map<string, string>();
    if (field === undefined || this.#yaml.isNull(field.value)) return labels;
    const entries = this.#yaml.entries(field.value);
    if (entries === undefined) {
      this.#fail(field.place, where, `${key} is not a mapping`);
      return labels;
    }
    for (const {key: name, place, value} of entries) {
      const text = this.#yaml.text(value);
      if (text === undefined) this.#fail(place, where, `${key}: the value of ${name} is not a text`);
      else labels.set(name, text);
    }
    return labels;
  }

  /** A mapping's fields; unknown and repeated ones are errors. */
  #fields(node: Node | null, known: readonly string[], where: Where, type: string): Fields | undefined {
    const entries = this.#yaml.entries(node);
    if (entries === undefined) {
      this.#fail(this.#yaml.place(node), where, `cannot read this as ${type}: it is not a mapping`);
      return undefined;
    }
    const fields = new Map<string, {place: Place; value: Node | null}>();
    for (const {key, place, value} of entries) {
      if (!known.includes(key) && this.#options.unknownFields === true) continue;
      if (!known.includes(key)) this.#fail(place, where, `field ${key} not found in type ${type}`);
      else fields.set(key, {place, value});
    }
    return fields;
  }
}

const isLabelName = (name: string): boolean => name !== "" && name.isWellFormed();
