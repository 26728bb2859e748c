import assert from "node:assert/strict";
import {test} from "node:test";
import {DEFAULT_PANEL, type PanelState, panelsFromSearch, pinned, searchFromPanels, stepFor} from "./url-state.ts";

test("panels survive the way through the address", () => {
  const panels: PanelState[] = [
    {
      exprs: ['sum by (job) (rate(x{a=~"b|c&d=e"}[5m])) + 1\n# é', "up"],
      tab: "tree",
      mode: "heatmap",
      range: 5400,
      end: 1_709_301_909,
      moment: 1_709_301_910,
      step: 15,
      dedup: false,
      partialResponse: false,
      maxResolution: "5m",
      tenant: "team a",
      stores: ["10.0.0.1:10901", 'odd"name'],
    },
    DEFAULT_PANEL,
  ];
  assert.deepEqual(panelsFromSearch(searchFromPanels(panels)), panels);
});

test("addresses of Thanos' own page are understood", () => {
  const [panel] = panelsFromSearch(
    "?g0.expr=up&g0.tab=1&g0.stacked=0&g0.range_input=2h&g0.max_source_resolution=0s&g0.deduplicate=0" +
      "&g0.partial_response=1&g0.store_matches=%5B%7B%22name%22%3A%22a%3A1%22%2C%22minTime%22%3A0%7D%5D&g0.end_input=2024-03-01%2014%3A05%3A09&g0.step_input=30",
  );
  assert.deepEqual(panel, {
    ...DEFAULT_PANEL,
    exprs: ["up"],
    tab: "table",
    range: 7200,
    end: Date.UTC(2024, 2, 1, 14, 5, 9) / 1000,
    step: 30,
    dedup: false,
    maxResolution: "0s",
    stores: ["a:1"],
  });
});

test("how a graph is drawn is understood in the words of Thanos and of Prometheus", () => {
  const f = (words: string, want: string): void =>
    assert.equal(panelsFromSearch(`?g0.expr=up&${words}`)[0]?.mode, want, words);
  f("g0.stacked=1", "stacked");
  f("g0.stacked=0", "lines");
  f("g0.display_mode=stacked", "stacked");
  f("g0.display_mode=lines&g0.stacked=1", "lines");
  f("g0.display_mode=heatmap&g0.stacked=1", "heatmap");
  const search = searchFromPanels([{...DEFAULT_PANEL, mode: "stacked"}]);
  assert.match(search, /g0\.stacked=1&g0\.display_mode=stacked/);
  assert.equal(panelsFromSearch(search)[0]?.mode, "stacked");
});

test("what makes no sense in an address falls back to the default", () => {
  const [panel] = panelsFromSearch(
    "?g0.expr=up&g0.range_input=-5&g0.end_input=soon&g0.step_input=0&g0.max_source_resolution=2h&g0.tab=9&g0.store_matches={",
  );
  assert.deepEqual(panel, {...DEFAULT_PANEL, exprs: ["up"]});
  assert.deepEqual(panelsFromSearch(""), [DEFAULT_PANEL]);
  assert.equal(panelsFromSearch(Array.from({length: 50}, (_, i) => `g${i}.expr=x`).join("&")).length, 20);
});

test("a graph has about 250 points unless asked otherwise", () => {
  assert.equal(stepFor(3600, undefined), 14);
  assert.equal(stepFor(10, undefined), 1);
  assert.equal(stepFor(3600, 60), 60);
});

test("a pinned panel keeps the times it has and ends where others would follow the clock", () => {
  assert.deepEqual(pinned({...DEFAULT_PANEL, moment: 5}, 99.7), {...DEFAULT_PANEL, moment: 5, end: 100});
});
