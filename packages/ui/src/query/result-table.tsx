import {type ReactNode, useState} from "react";
import type {Histogram, MatrixResult, QueryData, VectorResult} from "../api.ts";
import {counted, formatCount, formatTime} from "../format.ts";
import {MetricText} from "../parts/metric-text.tsx";

/** Rows drawn at once; more are a click away. */
const PAGE = 500;

export function ResultTable({data}: {data: QueryData}): ReactNode {
  const [limit, setLimit] = useState(PAGE);
  if (data.resultType === "scalar" || data.resultType === "string") {
    return (
      <table className="results">
        <tbody>
          <tr>
            <th scope="row" className="muted">
              {data.resultType}
            </th>
            <td className="value">{data.result[1]}</td>
          </tr>
        </tbody>
      </table>
    );
  }
  if (data.result.length === 0) {
    return <p className="empty">Empty result: no series matches at this time.</p>;
  }
  const hidden = data.result.length - limit;
  return (
    <>
      <table className="results">
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col" className="value">
              {data.resultType === "matrix" ? "Value @ time" : "Value"}
            </th>
          </tr>
        </thead>
        <tbody>
          {data.result.slice(0, limit).map((row) => (
            <tr key={JSON.stringify(row.metric)}>
              <th scope="row">
                <MetricText metric={row.metric} />
              </th>
              <td className="value">
                {"value" in row || "histogram" in row ? <Value row={row} /> : <Values row={row} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {hidden > 0 && (
        <button type="button" className="quiet add" onClick={() => setLimit((n) => n + 4 * PAGE)}>
          {formatCount(hidden)} more rows
        </button>
      )}
    </>
  );
}

function Value({row}: {row: VectorResult}): ReactNode {
  if (row.histogram !== undefined) return <HistogramText histogram={row.histogram[1]} />;
  return <>{row.value?.[1]}</>;
}

function Values({row}: {row: MatrixResult}): ReactNode {
  const values = row.values ?? [];
  const histograms = row.histograms ?? [];
  const shown = values.slice(0, PAGE);
  return (
    <div className="samples">
      {shown.map(([t, v]) => (
        <div key={t}>
          {v} <span className="muted">@ {formatTime(t)}</span>
        </div>
      ))}
      {values.length > shown.length && <div className="muted">… {formatCount(values.length - shown.length)} more</div>}
      {histograms.slice(0, 20).map(([t, histogram]) => (
        <div key={t}>
          <HistogramText histogram={histogram} /> <span className="muted">@ {formatTime(t)}</span>
        </div>
      ))}
      {histograms.length > 20 && <div className="muted">… {formatCount(histograms.length - 20)} more histograms</div>}
    </div>
  );
}

function HistogramText({histogram}: {histogram: Histogram}): ReactNode {
  const buckets = histogram.buckets ?? [];
  return (
    <details>
      <summary>
        count {histogram.count}, sum {histogram.sum}, {counted(buckets.length, "bucket", "buckets")}
      </summary>
      <table className="buckets">
        <tbody>
          {buckets.map(([bounds, low, high, count]) => (
            <tr key={`${low}:${high}`}>
              <th scope="row">
                {bounds === 1 || bounds === 3 ? "[" : "("}
                {low}, {high}
                {bounds === 0 || bounds === 3 ? "]" : ")"}
              </th>
              <td>{count}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
