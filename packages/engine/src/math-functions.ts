const SMALLEST_NORMAL = 2 ** -1022;

/** Compat: Go's logarithm on amd64 takes a subnormal number for a normal one of the lowest exponent. */
const ln = (v: number): number =>
  v > 0 && v < SMALLEST_NORMAL ? Math.log(0.5 * (1 + v * 2 ** 1022)) - 1022 * Math.LN2 : Math.log(v);

/** Functions from float to float. */
export const MATH_FUNCTIONS: Readonly<Record<string, (v: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  exp: Math.exp,
  sqrt: Math.sqrt,
  ln,
  log2: Math.log2,
  log10: (v) => (v > 0 && v < SMALLEST_NORMAL ? ln(v) / Math.LN10 : Math.log10(v)),
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

const SECONDS_PER_DAY = 86_400n;
const MIN_INT64 = -(2n ** 63n);
/** Second 0 of the calendar Go counts from, 1 March of year −292277022400; times before it wrap around. */
const CALENDAR_START = -9223372028715321600n;

/** Whole seconds as Go's conversion to int64 gives them: what does not fit becomes the smallest number. */
function wholeSeconds(v: number): bigint {
  return v >= -(2 ** 63) && v < 2 ** 63 ? BigInt(Math.trunc(v)) : MIN_INT64;
}

type CivilDate = {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly days: number;
  readonly second: number;
};

/** UTC date and time of day of a time in seconds, for any float. Source: the usual era arithmetic on days. */
function civil(v: number): CivilDate {
  let s = wholeSeconds(v);
  if (s < CALENDAR_START) s += 2n ** 64n;
  let second = s % SECONDS_PER_DAY;
  if (second < 0n) second += SECONDS_PER_DAY;
  const days = Number((s - second) / SECONDS_PER_DAY);
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return {year, month, day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1, days, second: Number(second)};
}

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

const DAYS_BEFORE = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/** Parts of a time in seconds, UTC. */
export const DATE_FUNCTIONS: Readonly<Record<string, (v: number) => number>> = {
  minute: (v) => Math.floor(civil(v).second / 60) % 60,
  hour: (v) => Math.floor(civil(v).second / 3600),
  day_of_week: (v) => (((civil(v).days + 4) % 7) + 7) % 7,
  day_of_month: (v) => civil(v).day,
  day_of_year: (v) => {
    const {year, month, day} = civil(v);
    return DAYS_BEFORE[month - 1]! + day + (month > 2 && isLeap(year) ? 1 : 0);
  },
  days_in_month: (v) => {
    const {year, month} = civil(v);
    if (month === 2) return isLeap(year) ? 29 : 28;
    return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  },
  month: (v) => civil(v).month,
  year: (v) => civil(v).year,
};
