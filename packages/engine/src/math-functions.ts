/** Functions from float to float. */
export const MATH_FUNCTIONS: Readonly<Record<string, (v: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  exp: Math.exp,
  sqrt: Math.sqrt,
  ln: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  rad: (v) => (v * Math.PI) / 180,
  deg: (v) => (v * 180) / Math.PI,
  sgn: (v) => (v < 0 ? -1 : v > 0 ? 1 : v),
};

/** To the nearest multiple of `to`, halves up. */
export function round(v: number, to: number): number {
  const inverse = 1 / to;
  return Math.floor(v * inverse + 0.5) / inverse;
}

const MS_PER_DAY = 86_400_000;

/** A date of a time in seconds, whose fraction is cut off; NaN for what no date can be made of. */
const date = (v: number): Date => new Date(Math.trunc(v) * 1000);

function daysInMonth(v: number): number {
  const d = date(v);
  return new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + 1, 1) - MS_PER_DAY).getUTCDate();
}

/** Parts of a time in seconds, UTC. */
export const DATE_FUNCTIONS: Readonly<Record<string, (v: number) => number>> = {
  minute: (v) => date(v).getUTCMinutes(),
  hour: (v) => date(v).getUTCHours(),
  day_of_week: (v) => date(v).getUTCDay(),
  day_of_month: (v) => date(v).getUTCDate(),
  day_of_year: (v) => {
    const d = date(v);
    return Math.floor((d.getTime() - Date.UTC(d.getUTCFullYear(), 0, 1)) / MS_PER_DAY) + 1;
  },
  days_in_month: daysInMonth,
  month: (v) => date(v).getUTCMonth() + 1,
  year: (v) => date(v).getUTCFullYear(),
};
