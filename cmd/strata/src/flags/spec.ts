import type {TimeOrDuration} from "@strata/model";
import type {Content} from "./content.ts";
import {
  boolType,
  bytesType,
  durationType,
  enumType,
  type FlagType,
  floatType,
  goDurationType,
  integerType,
  type LabelPair,
  labelType,
  stringType,
  timeOrDurationType,
  ulidType,
  urlType,
} from "./types.ts";

/** What every declaration may say besides its type. */
export type FlagOptions = {
  /** In our own words: what it does; the unit when the name does not tell. */
  readonly help: string;
  /** Text as it would be typed; a flag without one starts as "", 0, false or an empty list. */
  readonly default?: string | readonly string[] | undefined;
  /** One letter. */
  readonly short?: string | undefined;
  /** Left out of help; works all the same. */
  readonly hidden?: boolean | undefined;
  /** Works, but a notice says what to use instead. */
  readonly deprecated?: string | undefined;
  readonly experimental?: boolean | undefined;
  readonly required?: boolean | undefined;
  /** Commas in one occurrence separate values (repeatable flags only). */
  readonly commas?: boolean | undefined;
  /** The flag whose value this one also sets; whichever comes last on the command line counts for both. */
  readonly sharesWith?: string | undefined;
};

/** One declared flag; `T` is what the command gets. */
export type Flag<T> = FlagOptions & {
  readonly type: FlagType<unknown>;
  readonly kind: "one" | "many" | "bool" | "content";
  /** Only for kind `content`. */
  readonly expandEnv?: boolean | undefined;
  /** Name of the flag that takes the file; `<name>-file` when left out. */
  readonly fileFlag?: string | undefined;
  /** Carries the value's type only; never there at run time. */
  readonly value?: T;
};

/** Flags of a command by their long name, in the order of the help page. */
export type FlagTable = Readonly<Record<string, Flag<unknown>>>;

/** What a command gets: a value for each declared flag. */
export type FlagValues<T extends FlagTable> = {readonly [K in keyof T]: T[K] extends Flag<infer V> ? V : never};

function one<T>(type: FlagType<T>, options: FlagOptions): Flag<T> {
  return {...options, type: type as FlagType<unknown>, kind: "one"};
}

/** A flag that may be given many times. */
export function many<T>(flag: Flag<T>): Flag<readonly T[]> {
  return {...flag, kind: "many"} as Flag<readonly T[]>;
}

export const text = (options: FlagOptions): Flag<string> => one(stringType(), options);
export const path = (options: FlagOptions): Flag<string> => one(stringType("PATH"), options);
export const address = (options: FlagOptions): Flag<string> => one(stringType("HOST:PORT"), options);
export const bool = (options: FlagOptions): Flag<boolean> => ({
  ...one(boolType as FlagType<boolean>, options),
  kind: "bool",
});
export const int = (options: FlagOptions): Flag<number> => one(integerType(Number.MIN_SAFE_INTEGER), options);
export const uint = (options: FlagOptions): Flag<number> => one(integerType(0), options);
export const float = (options: FlagOptions): Flag<number> => one(floatType, options);
/** Prometheus duration; ms. */
export const dur = (options: FlagOptions): Flag<number> => one(durationType, options);
/** Go duration; ms, may have fractions. */
export const godur = (options: FlagOptions): Flag<number> => one(goDurationType, options);
export const bytes = (options: FlagOptions): Flag<number> => one(bytesType, options);
export const time = (options: FlagOptions): Flag<TimeOrDuration> => one(timeOrDurationType, options);
export const label = (options: FlagOptions): Flag<LabelPair> => one(labelType, options);
export const url = (options: FlagOptions): Flag<URL> => one(urlType, options);
export const ulid = (options: FlagOptions): Flag<string> => one(ulidType, options);
export const oneOf = <const T extends string>(values: readonly T[], options: FlagOptions): Flag<T> =>
  one(enumType(values), options);

/** A pair of flags, `--name-file` (a path) and `--name` (the text itself); at most one of them may be given. */
export function content(
  options: FlagOptions & {readonly expandEnv?: boolean; readonly fileFlag?: string},
): Flag<Content> {
  return {expandEnv: true, ...options, type: stringType("YAML") as FlagType<unknown>, kind: "content"};
}
