import type {MatrixResult} from "../api.ts";

/** Columns for the chart: one time axis, one column per series with null where there is no point. */
export type GraphData = {readonly times: number[]; readonly columns: (number | null)[][]};

/**
 * Puts the points of every series on the grid start, start + step, … ≤ end (Unix seconds). What is no finite number
 * cannot be drawn and leaves a gap.
 */
export function gridData(series: readonly MatrixResult[], start: number, end: number, step: number): GraphData {
  const length = Math.floor((end - start) / step + 1e-6) + 1;
  const times = Array.from({length}, (_, i) => start + i * step);
  const columns = series.map(({values = []}) => {
    const column: (number | null)[] = new Array(length).fill(null);
    for (const [t, text] of values) {
      const i = Math.round((t - start) / step);
      const value = Number(text);
      if (i >= 0 && i < length && Number.isFinite(value)) column[i] = value;
    }
    return column;
  });
  return {times, columns};
}

/**
 * Columns on top of one another, the first of them lowest: each visible one begins where the sum of those before it ends.
 * A gap stays one, and adds nothing to those above. What is not visible stays as it is and adds nothing either.
 */
export function stackedColumns(
  columns: readonly (readonly (number | null)[])[],
  visible: readonly boolean[],
): (number | null)[][] {
  const sums = new Float64Array(columns[0]?.length ?? 0);
  return columns.map((column, s) => {
    if (visible[s] === false) return [...column];
    return column.map((value, i) => {
      if (value === null) return null;
      sums[i] = (sums[i] as number) + value;
      return sums[i] as number;
    });
  });
}

/** Positions of points with a gap on both sides, which a line alone would not show. */
export function isolated(column: ArrayLike<number | null | undefined>): number[] {
  const out: number[] = [];
  for (let i = 0; i < column.length; i++) {
    if (column[i] != null && column[i - 1] == null && column[i + 1] == null) out.push(i);
  }
  return out;
}
