import {errorText} from "@strata/base";
import {goQuote, goUnquote} from "@strata/model";
import {TemplateSyntaxError, type Token, tokenize} from "./lexer.ts";
import type {Command, Operand, Pipeline, Statement} from "./nodes.ts";
import type {Constant} from "./values.ts";

/** A template and those it defines. */
export type ParsedTemplate = {
  readonly name: string;
  readonly source: string;
  readonly body: readonly Statement[];
  readonly defined: ReadonlyMap<string, readonly Statement[]>;
};

/** Deepest nesting of controls and parentheses; whoever walks the tree recurses. */
const MAX_NESTING = 200;

/** Reads a template. Throws an Error with the text that Go gives (`template: NAME:LINE: …`). */
export function parseTemplate(name: string, source: string, functions: ReadonlySet<string>): ParsedTemplate {
  try {
    return new Parser(name, source, functions).parse();
  } catch (err) {
    if (!(err instanceof TemplateSyntaxError)) throw err;
    const line = 1 + source.slice(0, err.at).split("\n").length - 1;
    throw new Error(`template: ${name}:${line}: ${err.message}`);
  }
}

/** What ends a list of statements. */
type Stop = {readonly kind: "else" | "end"; readonly at: number};

class Parser {
  readonly #name: string;
  readonly #source: string;
  readonly #functions: ReadonlySet<string>;
  readonly #tokens: readonly Token[];
  readonly #defined = new Map<string, readonly Statement[]>();
  #next = 0;
  #variables: string[] = ["$"];
  #loops = 0;
  #depth = 0;

  constructor(name: string, source: string, functions: ReadonlySet<string>) {
    this.#name = name;
    this.#source = source;
    this.#functions = functions;
    this.#tokens = tokenize(source);
  }

  parse(): ParsedTemplate {
    const body: Statement[] = [];
    while (this.#peek().kind !== "eof") {
      const stop = this.#statement(body, true);
      if (stop !== undefined) throw new TemplateSyntaxError(`unexpected {{${stop.kind}}}`, stop.at);
    }
    return {name: this.#name, source: this.#source, body, defined: this.#defined};
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== "eof") this.#next++;
    return token;
  }

  #skipSpace(): Token {
    while (this.#peek().kind === "space") this.#next++;
    return this.#peek();
  }

  #takeNonSpace(): Token {
    this.#skipSpace();
    return this.#take();
  }

  #unexpected(token: Token, context: string): TemplateSyntaxError {
    return new TemplateSyntaxError(`unexpected ${describe(token)} in ${context}`, token.at);
  }

  #expect(kind: Token["kind"], context: string): Token {
    const token = this.#takeNonSpace();
    if (token.kind !== kind) throw this.#unexpected(token, context);
    return token;
  }

  /** Statements up to `else` or `end`. */
  #list(): {body: Statement[]; stop: Stop} {
    if (++this.#depth > MAX_NESTING) throw new TemplateSyntaxError("max expression depth exceeded", this.#peek().at);
    const body: Statement[] = [];
    while (this.#peek().kind !== "eof") {
      const stop = this.#statement(body, false);
      if (stop !== undefined) {
        this.#depth--;
        return {body, stop};
      }
    }
    throw new TemplateSyntaxError("unexpected EOF", this.#peek().at);
  }

  #statement(into: Statement[], top: boolean): Stop | undefined {
    const token = this.#take();
    if (token.kind === "text") {
      into.push({kind: "text", text: token.text});
      return undefined;
    }
    if (token.kind !== "left") throw this.#unexpected(token, "input");
    const first = this.#skipSpace();
    if (first.kind !== "keyword") {
      into.push({kind: "action", at: first.at, pipeline: this.#pipeline("command", "right")});
      return undefined;
    }
    this.#take();
    switch (first.text) {
      case "end":
        this.#expect("right", "end");
        return {kind: "end", at: first.at};
      case "else":
        return this.#else(first);
      case "if":
      case "with":
      case "range":
        into.push(this.#control(first.text, first.at));
        return undefined;
      case "break":
      case "continue":
        if (this.#loops === 0) throw new TemplateSyntaxError(`{{${first.text}}} outside {{range}}`, first.at);
        if (this.#skipSpace().kind !== "right") throw this.#unexpected(this.#peek(), `{{${first.text}}}`);
        this.#take();
        into.push({kind: first.text, at: first.at});
        return undefined;
      case "template":
        into.push(this.#template());
        return undefined;
      case "block":
        into.push(this.#block());
        return undefined;
      default:
        if (!top) throw new TemplateSyntaxError("unexpected <define> in command", first.at);
        this.#define();
        return undefined;
    }
  }

  /** `{{else}}` ends here; after `else` of `else if` the `if` is left for `#control`. */
  #else(token: Token): Stop {
    const next = this.#skipSpace();
    if (!(next.kind === "keyword" && (next.text === "if" || next.text === "with"))) this.#expect("right", "else");
    return {kind: "else", at: token.at};
  }

  #control(kind: "if" | "with" | "range", at: number): Statement {
    const scope = this.#variables.length;
    const pipeline = this.#pipeline(kind, "right");
    if (kind === "range") this.#loops++;
    const {body, stop} = this.#list();
    if (kind === "range") this.#loops--;
    let otherwise: Statement[] | undefined;
    if (stop.kind === "else") {
      const next = this.#peek();
      if (next.kind === "keyword" && this.#tokens[this.#next - 1]?.kind !== "right") {
        if (next.text !== kind) throw this.#unexpected(next, "else");
        this.#take();
        otherwise = [this.#control(kind, next.at)];
      } else {
        const rest = this.#list();
        if (rest.stop.kind !== "end") {
          throw new TemplateSyntaxError(`expected end; found {{else}}`, rest.stop.at);
        }
        otherwise = rest.body;
      }
    }
    this.#variables.length = scope;
    return {kind, at, pipeline, body, otherwise};
  }

  #templateName(context: string): {name: string; at: number} {
    const token = this.#takeNonSpace();
    if (token.kind !== "string") throw this.#unexpected(token, context);
    return {name: unquote(token), at: token.at};
  }

  #template(): Statement {
    const {name, at} = this.#templateName("template clause");
    let pipeline: Pipeline | undefined;
    if (this.#skipSpace().kind === "right") this.#take();
    else pipeline = this.#pipeline("template clause", "right");
    return templateNode(at, name, pipeline);
  }

  #block(): Statement {
    const {name, at} = this.#templateName("block clause");
    const pipeline = this.#pipeline("block clause", "right");
    this.#definition(name);
    return templateNode(at, name, pipeline);
  }

  #define(): void {
    const {name} = this.#templateName("define clause");
    this.#expect("right", "define clause");
    this.#definition(name);
  }

  /** A body of its own, which sees none of the variables around it. */
  #definition(name: string): void {
    const [variables, loops] = [this.#variables, this.#loops];
    [this.#variables, this.#loops] = [["$"], 0];
    const {body, stop} = this.#list();
    if (stop.kind !== "end") throw new TemplateSyntaxError(`unexpected {{${stop.kind}}} in define clause`, stop.at);
    [this.#variables, this.#loops] = [variables, loops];
    this.#defined.set(name, body);
  }

  #pipeline(context: string, end: "right" | ")"): Pipeline {
    if (++this.#depth > MAX_NESTING) throw new TemplateSyntaxError("max expression depth exceeded", this.#peek().at);
    const at = this.#skipSpace().at;
    const {names, assigns} = this.#declarations(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#skipSpace();
      if (token.kind === end) {
        this.#take();
        this.#checkPipeline(commands, context, token.at);
        this.#depth--;
        const head = names.length === 0 ? "" : `${names.join(", ")} ${assigns ? "=" : ":="} `;
        return {at, names, assigns, commands, text: head + commands.map((c) => c.text).join(" | ")};
      }
      if (!STARTS_OPERAND.has(token.kind)) throw this.#unexpected(token, context);
      commands.push(this.#command());
    }
  }

  /** `$x :=`, `$x =`, and in range clauses `$i, $x :=`. */
  #declarations(context: string): {names: string[]; assigns: boolean} {
    const names: string[] = [];
    const start = this.#next;
    while (this.#skipSpace().kind === "variable") {
      const variable = this.#take();
      const after = this.#skipSpace();
      if (after.kind === "declare" || after.kind === "assign") {
        this.#take();
        names.push(variable.text);
        const assigns = after.kind === "assign";
        for (const name of names) {
          if (assigns) this.#useVariable(name, variable.at);
          else this.#variables.push(name);
        }
        return {names, assigns};
      }
      if (!(after.kind === "symbol" && after.text === "," && context === "range" && names.length === 0)) {
        if (after.kind === "symbol" && after.text === ",") {
          throw new TemplateSyntaxError(`too many declarations in ${context}`, after.at);
        }
        break;
      }
      this.#take();
      names.push(variable.text);
      if (this.#skipSpace().kind !== "variable") {
        throw new TemplateSyntaxError("range can only initialize variables", this.#peek().at);
      }
    }
    this.#next = start;
    return {names: [], assigns: false};
  }

  #checkPipeline(commands: readonly Command[], context: string, at: number): void {
    if (commands.length === 0) throw new TemplateSyntaxError(`missing value for ${context}`, at);
    commands.slice(1).forEach((command, i) => {
      const kind = command.args[0]?.kind;
      if (kind === "constant" || kind === "dot" || kind === "nil") {
        throw new TemplateSyntaxError(`non executable command in pipeline stage ${i + 2}`, at);
      }
    });
  }

  #command(): Command {
    const at = this.#skipSpace().at;
    const args: Operand[] = [];
    for (;;) {
      this.#skipSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#peek();
      if (token.kind === "space") {
        this.#take();
        continue;
      }
      if (token.kind === "pipe") this.#take();
      else if (token.kind !== "right" && token.kind !== ")") throw this.#unexpected(token, "operand");
      break;
    }
    if (args.length === 0) throw new TemplateSyntaxError("empty command", at);
    return {at, args, text: args.map((arg) => arg.text).join(" ")};
  }

  /** A term and the fields after it. */
  #operand(): Operand | undefined {
    const base = this.#term();
    if (base === undefined || this.#peek().kind !== "field") return base;
    const at = this.#peek().at;
    const path: string[] = [];
    while (this.#peek().kind === "field") path.push(this.#take().text.slice(1));
    const text = `${base.text}${path.map((name) => `.${name}`).join("")}`;
    switch (base.kind) {
      case "field":
      case "variable":
        return {kind: base.kind, at, path: [...base.path, ...path], text};
      case "dot":
      case "nil":
      case "constant":
        throw new TemplateSyntaxError(`unexpected . after term ${goQuote(base.text)}`, at);
      default:
        return {kind: "chain", at, base, path, text};
    }
  }

  #term(): Operand | undefined {
    const token = this.#peek();
    const {at, text} = token;
    switch (token.kind) {
      case "identifier":
        if (!this.#functions.has(text)) throw new TemplateSyntaxError(`function ${goQuote(text)} not defined`, at);
        this.#take();
        return {kind: "function", at, name: text, text};
      case "dot":
      case "nil":
        this.#take();
        return {kind: token.kind, at, text};
      case "variable":
        this.#useVariable(text, at);
        this.#take();
        return {kind: "variable", at, path: [text], text};
      case "field":
        this.#take();
        return {kind: "field", at, path: [text.slice(1)], text};
      case "bool":
        this.#take();
        return {kind: "constant", at, value: text === "true", text};
      case "number":
        this.#take();
        return {kind: "constant", at, value: parseNumber(token), text};
      case "char":
        this.#take();
        return {kind: "constant", at, value: parseChar(token), text};
      case "string":
        this.#take();
        return {kind: "constant", at, value: unquote(token), text};
      case "(": {
        this.#take();
        const pipeline = this.#pipeline("parenthesized pipeline", ")");
        return {kind: "pipeline", at, pipeline, text: `(${pipeline.text})`};
      }
      default:
        return undefined;
    }
  }

  #useVariable(name: string, at: number): void {
    if (!this.#variables.includes(name)) throw new TemplateSyntaxError(`undefined variable ${goQuote(name)}`, at);
  }
}

const STARTS_OPERAND: ReadonlySet<Token["kind"]> = new Set([
  "bool",
  "char",
  "dot",
  "field",
  "identifier",
  "number",
  "nil",
  "string",
  "variable",
  "(",
] as const);

function templateNode(at: number, name: string, pipeline: Pipeline | undefined): Statement {
  const text = `{{template ${goQuote(name)}${pipeline === undefined ? "" : ` ${pipeline.text}`}}}`;
  return {kind: "template", at, name, pipeline, text};
}

function describe(token: Token): string {
  if (token.kind === "eof") return "EOF";
  if (token.kind === "keyword" || token.kind === "nil" || token.kind === "dot") return `<${token.text}>`;
  return token.text.length > 10 ? `${goQuote(token.text.slice(0, 10))}...` : goQuote(token.text);
}

function unquote(token: Token): string {
  try {
    return goUnquote(token.text);
  } catch {
    throw new TemplateSyntaxError("invalid syntax", token.at);
  }
}

/** A whole number is an int (bigint), any other a float64 (number). */
function parseNumber(token: Token): Constant {
  const text = token.text.replaceAll("_", "");
  const [sign, digits] = /^[+-]/.test(text) ? [text[0] === "-" ? -1n : 1n, text.slice(1)] : [1n, text];
  try {
    if (/^0[xXbBoO][0-9a-fA-F]+$/.test(digits)) return sign * BigInt(digits);
    if (/^0[0-7]+$/.test(digits)) return sign * BigInt(`0o${digits.slice(1)}`);
    if (/^[0-9]+$/.test(digits)) return sign * BigInt(digits);
    const float = Number(digits);
    if (!Number.isNaN(float)) {
      // Compat: 1e3 and 1.0 are ints to a template where one is asked for; printed, they are floats.
      return Number(sign) * float;
    }
  } catch (err) {
    throw new TemplateSyntaxError(errorText(err), token.at);
  }
  throw new TemplateSyntaxError(`illegal number syntax: ${goQuote(token.text)}`, token.at);
}

function parseChar(token: Token): Constant {
  const inner = token.text.slice(1, -1);
  const text = inner === "\\'" ? "'" : unquote({...token, text: `"${inner === '"' ? '\\"' : inner}"`});
  const code = text.codePointAt(0);
  if (code === undefined || String.fromCodePoint(code) !== text) {
    throw new TemplateSyntaxError(`malformed character constant: ${token.text}`, token.at);
  }
  return BigInt(code);
}
