import {StrataError} from "@strata/base";
import type {Api} from "./envelope.ts";
import type {ActiveQuery, QueryBackend} from "./query-backend.ts";

/** Adds the list of running queries, and the call that ends one of them. Strata's own. */
export function addActiveQueryRoutes(api: Api, backend: QueryBackend): void {
  const {activeQueries, killQuery} = backend;
  if (activeQueries !== undefined) {
    api.add(["GET"], "/queries/active", "queries_active", () => ({data: activeQueries.call(backend).map(toJson)}));
  }
  if (killQuery !== undefined) {
    api.add(["DELETE"], "/queries/active/:id", "queries_kill", (request) => {
      const id = request.params.id ?? "";
      if (killQuery.call(backend, id)) return {data: {id, killed: true}};
      throw new StrataError("not_found", `no query ${id} is running`);
    });
  }
}

/** Times in seconds, as everywhere in the API. */
const toJson = (q: ActiveQuery) => ({
  id: q.id,
  query: q.query,
  state: q.state,
  start: q.start / 1000,
  end: q.end / 1000,
  step: q.step / 1000,
  tenant: q.tenant,
  startedAt: new Date(q.startedMs).toISOString(),
  ageSeconds: q.ageMs / 1000,
  samples: q.samples,
  memoryBytes: q.memoryBytes,
  peakMemoryBytes: q.peakMemoryBytes,
});
