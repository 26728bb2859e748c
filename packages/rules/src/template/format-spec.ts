/** How a value is to be formatted: what stands between `%` and the verb. */
export type Spec = {
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  /** `%#v`: in Go's syntax. */
  readonly goSyntax: boolean;
  /** `%+v`: with the names of fields. */
  readonly fieldNames: boolean;
};

/** Puts spaces, or zeros where they are asked for, before or after a text that is narrower than its field. */
export function padded(spec: Spec, text: string): string {
  if (spec.width === undefined) return text;
  const missing = spec.width - [...text].length;
  if (missing <= 0) return text;
  if (spec.minus) return text + " ".repeat(missing);
  return (spec.zero ? "0" : " ").repeat(missing) + text;
}
