/** The twin of `jsonPoints`. */
export function jsonPointsTwin(times: Float64Array, values: Float64Array, from: number, to: number): string {
  const points: string[] = [];
  for (let p = from; p < to; p++) points.push(`[${jsonTime(times[p] as number)},"${jsonFloat(values[p] as number)}"]`);
  return points.join(",");
}

/** A sample value: Go's 'f' format, 'e' below 1e-6 and from 1e21 on, with at least two digits of exponent. */
export function jsonFloat(v: number): string {
  const abs = Math.abs(v);
  if (abs < 1e21 && (abs >= 1e-6 || abs === 0)) return Object.is(v, -0) ? "-0" : String(v);
  if (Number.isNaN(v)) return "NaN";
  if (abs === Infinity) return v > 0 ? "+Inf" : "-Inf";
  const text = String(v);
  const at = text.indexOf("e");
  const exponent = Number(text.slice(at + 1));
  const digits = String(Math.abs(exponent)).padStart(2, "0");
  return `${text.slice(0, at)}e${exponent < 0 ? "-" : "+"}${digits}`;
}

/** The time of a point, ms: whole seconds, or seconds with three digits behind the dot. */
export function jsonTime(t: number): string {
  const abs = Math.abs(t);
  const second = Math.floor(abs / 1000);
  const ms = abs - second * 1000;
  const sign = t < 0 ? "-" : "";
  return ms === 0 ? `${sign}${second}` : `${sign}${second}.${String(ms).padStart(3, "0")}`;
}
