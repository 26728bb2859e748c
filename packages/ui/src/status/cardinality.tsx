import {type ReactNode, useState} from "react";
import {formatBytes, formatCount, formatTime} from "../format.ts";
import {Facts} from "../parts/facts.tsx";
import {Loaded} from "../parts/loaded.tsx";
import {usePolled} from "../parts/use-polled.ts";

type Statistic = {readonly name: string; readonly value: number};

/** `/api/v1/status/tsdb`: the heads of all endpoints together. */
type Statistics = {
  readonly headStats: {
    readonly numSeries: number;
    readonly numLabelPairs: number;
    readonly chunkCount: number;
    readonly minTime: number;
    readonly maxTime: number;
  };
  readonly seriesCountByMetricName: readonly Statistic[];
  readonly labelValueCountByLabelName: readonly Statistic[];
  readonly memoryInBytesByLabelName: readonly Statistic[];
  readonly seriesCountByLabelValuePair: readonly Statistic[];
};

/** Counting walks every head, so it is not done often, ms. */
const COUNT_MS = 60_000;
const LIMITS = [10, 20, 50, 100];

/** What the series of the heads behind the querier are made of: the biggest metrics, labels and pairs. */
export function Cardinality(): ReactNode {
  const [limit, setLimit] = useState(10);
  const polled = usePolled<Statistics>(`status/tsdb?limit=${limit}`, COUNT_MS);
  return (
    <section className="panel" aria-label="Cardinality">
      <div className="panel-head">
        <h2>Cardinality</h2>
        <span className="muted">of the heads of all endpoints together</span>
        <label className="inline push">
          Top
          <select value={limit} onChange={(event) => setLimit(Number(event.target.value))}>
            {LIMITS.map((n) => (
              <option key={n}>{n}</option>
            ))}
          </select>
        </label>
      </div>
      <Loaded polled={polled} what="the statistics">
        {(data) => <Tops data={data} />}
      </Loaded>
    </section>
  );
}

function Tops({data}: {data: Statistics}): ReactNode {
  const {numSeries, numLabelPairs, chunkCount, minTime, maxTime} = data.headStats;
  return (
    <>
      <Facts
        facts={[
          ["Series", formatCount(numSeries)],
          ["Label pairs", formatCount(numLabelPairs)],
          ["Chunks", formatCount(chunkCount)],
          ["From", numSeries === 0 ? "" : formatTime(minTime / 1000)],
          ["To", numSeries === 0 ? "" : formatTime(maxTime / 1000)],
        ]}
      />
      <div className="columns tops">
        <Top title="Series by metric" list={data.seriesCountByMetricName} of={numSeries} text={formatCount} />
        <Top title="Series by label pair" list={data.seriesCountByLabelValuePair} of={numSeries} text={formatCount} />
        <Top title="Values by label" list={data.labelValueCountByLabelName} of={0} text={formatCount} />
        <Top title="Memory by label" list={data.memoryInBytesByLabelName} of={0} text={formatBytes} />
      </div>
    </>
  );
}

type TopProps = {
  readonly title: string;
  readonly list: readonly Statistic[];
  /** What a full bar stands for; 0 is the largest of the list. */
  readonly of: number;
  readonly text: (value: number) => string;
};

function Top({title, list, of, text}: TopProps): ReactNode {
  const full = of || Math.max(1, ...list.map(({value}) => value));
  return (
    <div>
      <h3>{title}</h3>
      {list.length === 0 && <p className="muted">None.</p>}
      <ol className="bars">
        {list.map(({name, value}) => (
          <li key={name}>
            <span className="mono">{name}</span>
            <span className="number">{text(value)}</span>
            <i style={{width: `${Math.min(100, (100 * value) / full)}%`}} />
          </li>
        ))}
      </ol>
    </div>
  );
}
