import type {Constant} from "./values.ts";

/** What a command consists of. `at` is where errors point to; `text` is how errors print the node. */
export type Operand =
  | {readonly kind: "field"; readonly at: number; readonly path: readonly string[]; readonly text: string}
  | {readonly kind: "variable"; readonly at: number; readonly path: readonly string[]; readonly text: string}
  | {
      readonly kind: "chain";
      readonly at: number;
      readonly base: Operand;
      readonly path: readonly string[];
      readonly text: string;
    }
  | {readonly kind: "function"; readonly at: number; readonly name: string; readonly text: string}
  | {readonly kind: "pipeline"; readonly at: number; readonly pipeline: Pipeline; readonly text: string}
  | {readonly kind: "dot"; readonly at: number; readonly text: string}
  | {readonly kind: "nil"; readonly at: number; readonly text: string}
  | {readonly kind: "constant"; readonly at: number; readonly value: Constant; readonly text: string};

export type Command = {readonly at: number; readonly args: readonly Operand[]; readonly text: string};

export type Pipeline = {
  readonly at: number;
  /** Variables that take the value, with their `$`. */
  readonly names: readonly string[];
  /** `=` rather than `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
  readonly text: string;
};

export type Statement =
  | {readonly kind: "text"; readonly text: string}
  | {readonly kind: "action"; readonly at: number; readonly pipeline: Pipeline}
  | {
      readonly kind: "if" | "with" | "range";
      readonly at: number;
      readonly pipeline: Pipeline;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[] | undefined;
    }
  | {readonly kind: "break" | "continue"; readonly at: number}
  | {
      readonly kind: "template";
      readonly at: number;
      readonly name: string;
      readonly pipeline: Pipeline | undefined;
      readonly text: string;
    };
