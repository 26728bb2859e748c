/** The layers, lowest first. A package imports only from lower ones, or along one of the edges below. */
export const layers: readonly (readonly string[])[] = [
  ["base", "kernels", "bytes", "telemetry"],
  ["model", "proto", "objstore", "http-client"],
  ["chunkenc", "promql", "series", "cache"],
  ["tsdb", "engine"],
  ["block", "storeapi", "discovery", "web", "rules"],
  ["sidecar", "receive", "store", "compact", "query", "rule", "query-frontend"],
  ["tools", "standalone", "ui"],
  ["strata"],
];

/** Edges inside a layer that are meant. Components (the sixth layer) never import one another. */
export const sameLayerEdges: readonly (readonly [string, string])[] = [
  ["kernels", "base"],
  ["bytes", "base"],
  ["bytes", "kernels"],
  ["telemetry", "base"],
  ["series", "chunkenc"],
  ["storeapi", "discovery"],
];
