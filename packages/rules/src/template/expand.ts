import {errorText} from "@strata/base";
import type {FloatHistogram} from "@strata/engine";
import type {Labels} from "@strata/model";
import {BUILTINS} from "./builtins.ts";
import {callError} from "./call-error.ts";
import {executeTemplate} from "./execute.ts";
import {FUNCTIONS} from "./functions.ts";
import {type ParsedTemplate, parseTemplate} from "./parser.ts";
import {GoHistogram, GoMap, GoSample, TemplateData} from "./values.ts";

/** What stands before every template of a rule. Compat: error texts count columns from here. */
const PRELUDE =
  "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}";

const NAMES: ReadonlySet<string> = new Set([...BUILTINS.keys(), ...Object.keys(FUNCTIONS)]);

/** A sample as alerts and `query` have it. */
export type TemplateSample = {
  readonly labels: Labels;
  readonly value: number;
  readonly histogram?: FloatHistogram | undefined;
};

/** What all templates of one evaluation share. */
export type TemplateScope = {
  /** Evaluation time, ms. */
  readonly t: number;
  readonly externalLabels: Labels;
  /** What `$externalURL` is. */
  readonly externalUrl: string;
  /** What the functions `externalURL` and `pathPrefix` know; undefined makes them fail, as in Thanos. */
  readonly functionUrl: string | undefined;
  query(expr: string): Promise<readonly TemplateSample[]>;
  /** Called with the outcome of each expansion. */
  onExpand?: ((failed: boolean) => void) | undefined;
};

/** The text of a rule's label or annotation, parsed once and expanded for each alert. */
export class RuleTemplate {
  readonly #name: string;
  /** Where there is nothing to expand, the text itself. */
  readonly #plain: string | undefined;
  #parsed: ParsedTemplate | undefined;
  #fault: string | undefined;

  constructor(alertName: string, text: string) {
    this.#name = `__alert_${alertName}`;
    this.#plain = text.includes("{{") ? undefined : text;
    if (this.#plain !== undefined) return;
    try {
      this.#parsed = parseTemplate(this.#name, PRELUDE + text, NAMES);
    } catch (err) {
      this.#fault = errorText(err);
    }
  }

  /** What is wrong with the text, if it cannot be parsed. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** The parsed form, for those who look into templates. */
  get parsed(): ParsedTemplate | undefined {
    return this.#parsed;
  }

  /** The text for one sample. Failures become `<error expanding template: …>`, as Prometheus shows them. */
  async expand(expander: Expander, sample: TemplateSample): Promise<string> {
    if (this.#plain !== undefined) return this.#plain;
    if (this.#parsed === undefined) {
      expander.count(true);
      return `<error expanding template: error parsing template ${this.#name}: ${this.#fault}>`;
    }
    try {
      const text = await expander.run(this.#parsed, sample);
      expander.count(false);
      return text;
    } catch (err) {
      expander.count(true);
      return `<error expanding template: error executing template ${this.#name}: ${errorText(err)}>`;
    }
  }
}

/** Thrown out of a template that asks for a query not yet answered. */
class QueryWanted {
  readonly expr: string;

  constructor(expr: string) {
    this.expr = expr;
  }
}

/**
 * Expands templates of one evaluation. Templates run without waiting: one that needs a query is left, the query asked,
 * and the template run again; an answer holds for all templates of the evaluation, which all ask at the same time.
 */
export class Expander {
  readonly #scope: TemplateScope;
  readonly #externalLabels: GoMap;
  readonly #answers = new Map<string, readonly GoSample[] | Error>();

  constructor(scope: TemplateScope) {
    this.#scope = scope;
    this.#externalLabels = labelMap(scope.externalLabels);
  }

  count(failed: boolean): void {
    this.#scope.onExpand?.(failed);
  }

  async run(template: ParsedTemplate, sample: TemplateSample): Promise<string> {
    const {t, externalUrl, functionUrl} = this.#scope;
    const data = new TemplateData(labelMap(sample.labels), this.#externalLabels, externalUrl, goValue(sample));
    const query = (expr: string): readonly GoSample[] => {
      const answer = this.#answers.get(expr);
      if (answer === undefined) throw new QueryWanted(expr);
      if (answer instanceof Error) throw answer;
      return answer;
    };
    for (;;) {
      try {
        return executeTemplate(template, data, {t, query, externalUrl: functionUrl});
      } catch (err) {
        if (!(err instanceof QueryWanted)) throw err;
        await this.#ask(err.expr);
      }
    }
  }

  async #ask(expr: string): Promise<void> {
    try {
      const samples = await this.#scope.query(expr);
      this.#answers.set(
        expr,
        samples.map((s) => new GoSample(labelMap(s.labels), goValue(s))),
      );
    } catch (err) {
      this.#answers.set(expr, callError(errorText(err)));
    }
  }
}

const labelMap = (labels: Labels): GoMap => new GoMap(new Map(labels));

const goValue = (s: TemplateSample): number | GoHistogram =>
  s.histogram === undefined ? s.value : new GoHistogram(s.histogram);
