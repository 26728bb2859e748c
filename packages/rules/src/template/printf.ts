import type {Spec} from "./format-spec.ts";
import {formatValue} from "./format-value.ts";
import {printed, typeName, type Value} from "./values.ts";

/** Widest field and longest precision; Go has the same bound. */
const MAX_WIDTH = 1e6;

const FLAGS = "-+# 0";

/** Go's `fmt.Sprintf`. */
export function sprintf(format: string, args: readonly Value[]): string {
  return new Formatting(format, args).run();
}

/** Go's `fmt.Sprint`: a space between operands neither of which is a string. */
export function sprint(args: readonly Value[]): string {
  return args
    .map((arg, i) => {
      const space = i > 0 && typeof arg !== "string" && typeof args[i - 1] !== "string";
      return (space ? " " : "") + (arg === undefined ? "<nil>" : printed(arg));
    })
    .join("");
}

/** Go's `fmt.Sprintln`. */
export const sprintln = (args: readonly Value[]): string =>
  `${args.map((arg) => (arg === undefined ? "<nil>" : printed(arg))).join(" ")}\n`;

/** One format on its way through its directives. */
class Formatting {
  readonly #format: string;
  readonly #args: readonly Value[];
  #at = 0;
  #next = 0;
  /** Whether a number in brackets has named the next argument, and whether there is such a one. */
  #named = false;
  #isGood = true;
  #anyNamed = false;
  #out = "";

  constructor(format: string, args: readonly Value[]) {
    this.#format = format;
    this.#args = args;
  }

  run(): string {
    for (;;) {
      const percent = this.#format.indexOf("%", this.#at);
      this.#out += this.#format.slice(this.#at, percent < 0 ? undefined : percent);
      if (percent < 0) break;
      this.#at = percent + 1;
      this.#directive();
    }
    if (this.#anyNamed || this.#next >= this.#args.length) return this.#out;
    const extra = this.#args.slice(this.#next);
    const texts = extra.map((arg) => (arg === undefined ? "<nil>" : `${typeName(arg)}=${printed(arg)}`));
    return `${this.#out}%!(EXTRA ${texts.join(", ")})`;
  }

  #directive(): void {
    this.#isGood = true;
    this.#named = false;
    const flags = this.#flags();
    this.#argNumber();
    const width = this.#size("WIDTH");
    let precision: number | undefined;
    if (this.#format[this.#at] === "." && this.#at + 1 < this.#format.length) {
      this.#at++;
      if (this.#named) this.#isGood = false;
      this.#argNumber();
      precision = this.#size("PREC", 0);
    }
    if (!this.#named) this.#argNumber();
    const verb = String.fromCodePoint(this.#format.codePointAt(this.#at) ?? 0);
    if (this.#at >= this.#format.length) {
      this.#out += "%!(NOVERB)";
      return;
    }
    this.#at += verb.length;
    if (verb === "%") this.#out += "%";
    else if (!this.#isGood) this.#out += `%!${verb}(BADINDEX)`;
    else if (this.#next >= this.#args.length) this.#out += `%!${verb}(MISSING)`;
    else this.#out += formatValue(specOf(flags, width, precision, verb), verb, this.#args[this.#next++]);
  }

  #flags(): string {
    const from = this.#at;
    while (FLAGS.includes(this.#format[this.#at] ?? "x")) this.#at++;
    return this.#format.slice(from, this.#at);
  }

  /** `[3]`: the third argument is next. */
  #argNumber(): void {
    if (this.#format[this.#at] !== "[") return;
    this.#anyNamed = true;
    const end = this.#format.indexOf("]", this.#at);
    const text = end < 0 ? "" : this.#format.slice(this.#at + 1, end);
    this.#at = end < 0 ? this.#at + 1 : end + 1;
    const index = /^[0-9]+$/.test(text) ? Number(text) - 1 : -1;
    this.#named = end >= 0 && /^[0-9]+$/.test(text);
    if (this.#named && index >= 0 && index < this.#args.length) this.#next = index;
    else this.#isGood = false;
  }

  /** A width or precision: digits, or the argument that `*` stands for. */
  #size(name: "WIDTH" | "PREC", otherwise?: number): number | undefined {
    if (this.#format[this.#at] === "*") {
      this.#at++;
      this.#named = false;
      const arg = this.#next < this.#args.length ? this.#args[this.#next++] : undefined;
      const least = name === "PREC" ? 0 : -MAX_WIDTH;
      if (typeof arg === "bigint" && arg <= MAX_WIDTH && arg >= least) return Number(arg);
      this.#out += `%!(BAD${name})`;
      return undefined;
    }
    const digits = /[0-9]*/y;
    digits.lastIndex = this.#at;
    const [text = ""] = digits.exec(this.#format) ?? [];
    if (text !== "" && name === "WIDTH" && this.#named) this.#isGood = false;
    this.#at += text.length;
    if (text === "") return otherwise;
    // Compat: what is too large ends the format.
    if (Number(text) > MAX_WIDTH) this.#at = this.#format.length;
    return Math.min(Number(text), MAX_WIDTH);
  }
}

/** A negative width puts the text to the left. */
function specOf(flags: string, width: number | undefined, precision: number | undefined, verb: string): Spec {
  const isGeneral = verb === "v" || verb === "w";
  return {
    minus: flags.includes("-") || (width ?? 0) < 0,
    plus: flags.includes("+") && !isGeneral,
    sharp: flags.includes("#") && !isGeneral,
    space: flags.includes(" "),
    zero: flags.includes("0") && (width ?? 0) >= 0,
    width: width === undefined ? undefined : Math.abs(width),
    precision,
    goSyntax: isGeneral && flags.includes("#"),
    fieldNames: isGeneral && flags.includes("+"),
  };
}
