// The form of a Grafana dashboard: a short description becomes the JSON that Grafana reads. Definitions are in
// dashboard-definitions.mjs; only what differs between panels is said there.

const DATA_SOURCE = {type: "prometheus", uid: "$datasource"};
const COLUMNS = 24;
const HEIGHT = 8;

/** A panel with lines over time: `[expression, legend]` for each target. `$on` in expressions is the usual selector. */
export const lines = (title, unit, targets, more = {}) => ({kind: "timeseries", title, unit, targets, ...more});
/** A single number with its colour. */
export const number = (title, unit, targets, more = {}) => ({kind: "stat", title, unit, targets, ...more});
/** A table of the last values. */
export const rows = (title, unit, targets, more = {}) => ({kind: "table", title, unit, targets, ...more});

/** `[title, …panels]` for each section. `component` is what `thanos_status` calls it; none for all components. */
export function dashboard({uid, title, component, description, sections}) {
  const panels = [];
  let [id, y] = [1, 0];
  for (const [name, ...own] of sections) {
    panels.push({
      id: id++,
      type: "row",
      title: name,
      collapsed: false,
      panels: [],
      gridPos: {x: 0, y, w: COLUMNS, h: 1},
    });
    y++;
    let x = 0;
    for (const panel of own) {
      const w = panel.width ?? 8;
      const h = panel.kind === "stat" ? 4 : HEIGHT;
      if (x + w > COLUMNS) [x, y] = [0, y + HEIGHT];
      panels.push(panelOf(panel, {id: id++, gridPos: {x, y, w, h}}));
      x += w;
    }
    y += own.every(({kind}) => kind === "stat") ? 4 : HEIGHT;
  }
  return {
    uid,
    title,
    description,
    tags: ["strata"],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: {from: "now-3h", to: "now"},
    timezone: "browser",
    annotations: {list: []},
    links: [
      {type: "dashboards", title: "Strata", tags: ["strata"], asDropdown: true, includeVars: false, keepTime: true},
      {type: "link", title: "Runbooks", url: "https://strata.example/docs/runbooks.md", targetBlank: true},
    ],
    templating: {list: variables(component)},
    panels,
  };
}

/** Which data source, which jobs (of the component, whatever they are called), which instances. */
function variables(component) {
  const selector = component === undefined ? "" : `component="${component}"`;
  const query = (name, text) => ({
    ...{
      name,
      type: "query",
      datasource: DATA_SOURCE,
      includeAll: true,
      multi: true,
      refresh: 2,
      sort: 1,
      allValue: ".+",
    },
    ...{query: {query: text, refId: name}, definition: text, current: {text: ["All"], value: ["$__all"]}},
  });
  return [
    {name: "datasource", label: "Data source", type: "datasource", query: "prometheus", refresh: 1, current: {}},
    query("job", `label_values(thanos_status{${selector}}, job)`),
    query("instance", 'label_values(thanos_status{job=~"$job"}, instance)'),
  ];
}

function panelOf({kind, title, unit, targets, description, min = 0, max, stack = false, thresholds}, place) {
  const steps = thresholds ?? [{color: kind === "stat" ? "green" : "blue", value: null}];
  return {
    ...place,
    type: kind,
    title,
    ...(description === undefined ? {} : {description}),
    datasource: DATA_SOURCE,
    targets: targets.map(([expr, legendFormat = ""], i) => ({
      refId: String.fromCharCode(65 + i),
      datasource: DATA_SOURCE,
      expr: expr.replaceAll("$on", 'job=~"$job",instance=~"$instance"'),
      legendFormat,
      ...(kind === "timeseries" ? {range: true, exemplar: expr.includes("histogram_quantile")} : {instant: true}),
      ...(kind === "table" ? {format: "table"} : {}),
    })),
    fieldConfig: {
      defaults: {
        unit,
        ...(min === null ? {} : {min}),
        ...(max === undefined ? {} : {max}),
        thresholds: {mode: "absolute", steps},
        ...(kind === "timeseries"
          ? {
              custom: {
                lineWidth: 1,
                fillOpacity: stack ? 30 : 5,
                stacking: {mode: stack ? "normal" : "none"},
                showPoints: "never",
              },
            }
          : {}),
      },
      overrides: [],
    },
    options:
      kind === "timeseries"
        ? {legend: {displayMode: "list", placement: "bottom"}, tooltip: {mode: "multi", sort: "desc"}}
        : kind === "stat"
          ? {reduceOptions: {calcs: ["lastNotNull"]}, colorMode: "value", graphMode: "area"}
          : {showHeader: true},
  };
}

const red = (value) => [
  {color: "green", value: null},
  {color: "red", value},
];
/** A number that is bad from `value` on. */
export const badFrom = (value) => ({thresholds: red(value)});
/** A number that is bad while it is below `value`. */
export const goodFrom = (value) => ({
  thresholds: [
    {color: "red", value: null},
    {color: "green", value},
  ],
});

/** Share of `bad` in `all`; nothing where there is neither. */
export const share = (bad, all) => `(${bad}) / (${all})`;
/** The quantile of a histogram's rates by `by`. */
export const quantile = (q, name, selector, by) =>
  `histogram_quantile(${q}, sum by (le${by === "" ? "" : `, ${by}`}) (rate(${name}_bucket{${selector}}[$__rate_interval])))`;
export const rate = (name, selector, by) =>
  `sum${by === "" ? "" : ` by (${by})`} (rate(${name}{${selector}}[$__rate_interval]))`;
