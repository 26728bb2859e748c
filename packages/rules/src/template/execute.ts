import {errorText, StrataError, unreachable} from "@strata/base";
import {goQuote} from "@strata/model";
import {BUILTINS} from "./builtins.ts";
import {FUNCTIONS, type FunctionContext, type Parameter} from "./functions.ts";
import type {Command, Operand, Pipeline, Statement} from "./nodes.ts";
import type {ParsedTemplate} from "./parser.ts";
import {methodOf} from "./time-methods.ts";
import {GoMap, GoSample, GoStruct, printed, TemplateData, truth, typeName, type Value} from "./values.ts";

/** Longest text that a template may produce: a loop over a wide query must not fill memory. */
const MAX_OUTPUT = 1 << 20;
/** Deepest nesting of `template` calls; Go stops far later. */
const MAX_CALLS = 1000;

/** A fault while a template runs; the message is Go's, with the place. */
export class TemplateRunError extends Error {}

type At = {readonly at: number; readonly text: string};
type Variable = {readonly name: string; value: Value};
type Flow = "next" | "break" | "continue";

/** Runs a template over `data`. Throws TemplateRunError, or whatever `context.query` throws that is no StrataError. */
export function executeTemplate(template: ParsedTemplate, data: Value, context: FunctionContext): string {
  const run = new Execution(template, context);
  run.body(template.body, data);
  return run.output;
}

class Execution {
  readonly #template: ParsedTemplate;
  readonly #context: FunctionContext;
  #variables: Variable[] = [];
  #name: string;
  #calls = 0;
  output = "";

  constructor(template: ParsedTemplate, context: FunctionContext) {
    this.#template = template;
    this.#context = context;
    this.#name = template.name;
  }

  body(statements: readonly Statement[], dot: Value): void {
    this.#variables = [{name: "$", value: dot}];
    this.#walk(statements, dot);
  }

  #fail(node: At, message: string): TemplateRunError {
    const before = this.#template.source.slice(0, node.at);
    const column = Buffer.byteLength(before.slice(before.lastIndexOf("\n") + 1));
    const line = before.split("\n").length;
    const place = `${this.#template.name}:${line}:${column}`;
    return new TemplateRunError(`template: ${place}: executing ${goQuote(this.#name)} at <${node.text}>: ${message}`);
  }

  #write(text: string): void {
    this.output += text;
    if (this.output.length > MAX_OUTPUT) {
      throw new TemplateRunError(`template: ${this.#template.name}: output exceeds ${MAX_OUTPUT} characters`);
    }
  }

  #walk(statements: readonly Statement[], dot: Value): Flow {
    for (const statement of statements) {
      const flow = this.#statement(statement, dot);
      if (flow !== "next") return flow;
    }
    return "next";
  }

  #statement(statement: Statement, dot: Value): Flow {
    switch (statement.kind) {
      case "text":
        this.#write(statement.text);
        return "next";
      case "action": {
        const value = this.#pipeline(statement.pipeline, dot);
        if (statement.pipeline.names.length === 0) this.#write(printed(value));
        return "next";
      }
      case "if":
      case "with": {
        const scope = this.#variables.length;
        const value = this.#pipeline(statement.pipeline, dot);
        const inner = statement.kind === "with" ? value : dot;
        const flow = truth(value) ? this.#walk(statement.body, inner) : this.#walk(statement.otherwise ?? [], dot);
        this.#variables.length = scope;
        return flow;
      }
      case "range":
        return this.#range(statement, dot);
      case "break":
      case "continue":
        return statement.kind;
      case "template":
        this.#call(statement, dot);
        return "next";
      default:
        return unreachable(statement);
    }
  }

  #range(statement: Extract<Statement, {kind: "if" | "with" | "range"}>, dot: Value): Flow {
    const scope = this.#variables.length;
    const {names, assigns} = statement.pipeline;
    const value = this.#commands(statement.pipeline, dot);
    const items = this.#items(statement.pipeline, value);
    for (const [key, item] of items) {
      const taken: Value[] = names.length === 2 ? [key, item] : [item];
      names.forEach((name, i) => {
        this.#bind(name, taken[i], assigns);
      });
      const flow = this.#walk(statement.body, item);
      this.#variables.length = scope;
      if (flow === "break") break;
    }
    const flow = items.length === 0 ? this.#walk(statement.otherwise ?? [], dot) : "next";
    this.#variables.length = scope;
    return flow;
  }

  #items(pipeline: Pipeline, value: Value): [Value, Value][] {
    if (value === undefined) return [];
    if (Array.isArray(value)) return (value as readonly Value[]).map((item, i) => [BigInt(i), item]);
    if (value instanceof GoMap) {
      return [...value.entries].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }
    if (typeof value === "bigint" && value <= MAX_OUTPUT) {
      return Array.from({length: Math.max(0, Number(value))}, (_, i) => [BigInt(i), BigInt(i)]);
    }
    throw this.#fail(pipeline, `range can't iterate over ${printed(value)}`);
  }

  #call(statement: Extract<Statement, {kind: "template"}>, dot: Value): void {
    const body = this.#template.defined.get(statement.name);
    if (body === undefined) throw this.#fail(statement, `template ${goQuote(statement.name)} not defined`);
    if (++this.#calls > MAX_CALLS) throw this.#fail(statement, "exceeded maximum template depth (1000)");
    const value = statement.pipeline === undefined ? undefined : this.#pipeline(statement.pipeline, dot);
    const [variables, name] = [this.#variables, this.#name];
    this.#name = statement.name;
    this.body(body, value);
    [this.#variables, this.#name] = [variables, name];
    this.#calls--;
  }

  #bind(name: string, value: Value, assigns: boolean): void {
    if (!assigns) this.#variables.push({name, value});
    else (this.#variables.findLast((variable) => variable.name === name) as Variable).value = value;
  }

  #pipeline(pipeline: Pipeline, dot: Value): Value {
    const value = this.#commands(pipeline, dot);
    for (const name of pipeline.names) this.#bind(name, value, pipeline.assigns);
    return value;
  }

  #commands(pipeline: Pipeline, dot: Value): Value {
    let final: readonly Value[] = [];
    for (const command of pipeline.commands) final = [this.#command(command, dot, final)];
    return final[0];
  }

  /** `final` holds the value piped in, if any. */
  #command(command: Command, dot: Value, final: readonly Value[]): Value {
    const first = command.args[0] as Operand;
    const rest = command.args.slice(1);
    if (first.kind === "function") return this.#function(first, command, rest, dot, final);
    if (first.kind === "field") return this.#path(dot, first.path, first, rest, dot, final);
    if (first.kind === "variable") {
      return this.#path(this.#variable(first.path[0] as string), first.path.slice(1), first, rest, dot, final);
    }
    if (first.kind === "chain") {
      return this.#path(this.#operand(first.base, dot), first.path, innermost(first), rest, dot, final);
    }
    if (rest.length > 0 || final.length > 0) {
      throw this.#fail(first, `can't give argument to non-function ${first.text}`);
    }
    if (first.kind === "nil") throw this.#fail(first, "nil is not a command");
    return this.#operand(first, dot);
  }

  #variable(name: string): Value {
    return this.#variables.findLast((variable) => variable.name === name)?.value;
  }

  /** An operand as an argument. */
  #operand(node: Operand, dot: Value): Value {
    switch (node.kind) {
      case "constant":
        return node.value;
      case "dot":
        return dot;
      case "nil":
        return undefined;
      case "pipeline":
        return this.#pipeline(node.pipeline, dot);
      default:
        return this.#command({at: node.at, args: [node], text: node.text}, dot, []);
    }
  }

  /** Fields after one another; arguments go to the last one. */
  #path(
    base: Value,
    path: readonly string[],
    node: Operand,
    rest: readonly Operand[],
    dot: Value,
    final: readonly Value[],
  ): Value {
    const given = rest.length > 0 || final.length > 0;
    if (path.length === 0) {
      if (given) throw this.#fail(node, `can't give argument to non-function ${node.text}`);
      return base;
    }
    let value = base;
    path.forEach((name, i) => {
      const last = i === path.length - 1;
      const args = last ? [...rest.map((arg) => this.#operand(arg, dot)), ...final] : [];
      value = this.#field(value, name, node, args, last && given);
    });
    return value;
  }

  #field(value: Value, name: string, node: Operand, args: readonly Value[], given: boolean): Value {
    const method = methodOf(value, name);
    if (method !== undefined) {
      try {
        return method(args);
      } catch (err) {
        throw this.#fail(node, `error calling ${name}: ${errorText(err)}`);
      }
    }
    if (value === undefined) return undefined;
    if (value instanceof GoMap) {
      if (given) throw this.#fail(node, `${name} is not a method but has arguments`);
      return value.entries.get(name) ?? (value.any || this.#context.missingKeys === "nil" ? undefined : "");
    }
    const found = structField(value, name);
    if (found === undefined) throw this.#fail(node, `can't evaluate field ${name} in type ${typeName(value)}`);
    if (given) throw this.#fail(node, `${name} has arguments but cannot be invoked as function`);
    return found.value;
  }

  #function(
    node: Extract<Operand, {kind: "function"}>,
    command: Command,
    rest: readonly Operand[],
    dot: Value,
    final: readonly Value[],
  ): Value {
    const {name} = node;
    const count = rest.length + final.length;
    const builtin = BUILTINS.get(name);
    const own = FUNCTIONS[name];
    const min = builtin?.min ?? own?.params.length ?? 0;
    const max = builtin?.max ?? (own?.variadic === true ? Infinity : min);
    if (count < min || count > max) {
      const want = max === Infinity ? `at least ${min}` : String(min);
      throw this.#fail(node, `wrong number of args for ${name}: want ${want} got ${count}`);
    }
    if (name === "and" || name === "or") return this.#shortCircuit(name === "and", rest, dot, final);
    const params = own?.params ?? (name === "printf" ? (["string"] as const) : []);
    const args = rest.map((arg, i) => this.#argument(arg, params[i] ?? "any", dot));
    for (const value of final) args.push(this.#checked(value, params[args.length] ?? "any", rest.at(-1) ?? node));
    try {
      if (builtin !== undefined) return builtin.call(args);
      return own?.call(args, this.#context);
    } catch (err) {
      if (err instanceof StrataError) {
        throw this.#fail(command, `error calling ${name}: ${errorText(err)}`);
      }
      throw err;
    }
  }

  #shortCircuit(isAnd: boolean, rest: readonly Operand[], dot: Value, final: readonly Value[]): Value {
    let value: Value;
    for (const arg of rest) {
      value = this.#operand(arg, dot);
      if (truth(value) !== isAnd) return value;
    }
    return final.length > 0 ? final[0] : value;
  }

  #argument(node: Operand, param: Parameter, dot: Value): Value {
    if (param !== "any" && node.kind === "constant" && (param !== "string" || typeof node.value !== "string")) {
      throw this.#fail(
        node,
        param === "string"
          ? `expected string; found ${node.text}`
          : `can't handle ${node.text} for arg of type ${PARAMETER_TYPES[param]}`,
      );
    }
    return this.#checked(this.#operand(node, dot), param, node);
  }

  #checked(value: Value, param: Parameter, node: At): Value {
    const fits =
      param === "any" ||
      (param === "string" && typeof value === "string") ||
      (param === "list" && Array.isArray(value)) ||
      (param === "sample" && value instanceof GoSample);
    if (fits) return value;
    const type = PARAMETER_TYPES[param as Exclude<Parameter, "any">];
    throw this.#fail(
      node,
      value === undefined
        ? `invalid value; expected ${type}`
        : `wrong type for value; expected ${type}; got ${typeName(value)}`,
    );
  }
}

/** Where Go sees a fault behind parentheses: at what was looked at last. */
function innermost(node: Operand): Operand {
  if (node.kind === "chain") return innermost(node.base);
  const first = node.kind === "pipeline" ? node.pipeline.commands.at(-1)?.args[0] : undefined;
  return first === undefined ? node : innermost(first);
}

const PARAMETER_TYPES: Readonly<Record<Exclude<Parameter, "any">, string>> = {
  string: "string",
  list: "template.queryResult",
  sample: "*template.sample",
};

function structField(value: Value, name: string): {value: Value} | undefined {
  if (value instanceof GoSample) {
    return name === "Labels" ? {value: value.labels} : name === "Value" ? {value: value.value} : undefined;
  }
  if (value instanceof GoStruct) return value.fields.has(name) ? {value: value.fields.get(name)} : undefined;
  if (!(value instanceof TemplateData)) return undefined;
  switch (name) {
    case "Labels":
      return {value: value.labels};
    case "ExternalLabels":
      return {value: value.externalLabels};
    case "ExternalURL":
      return {value: value.externalUrl};
    case "Value":
      return {value: value.value};
    default:
      return undefined;
  }
}
