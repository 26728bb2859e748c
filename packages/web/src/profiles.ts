import type {Session} from "node:inspector/promises";
import {setTimeout as delay} from "node:timers/promises";
import v8 from "node:v8";
import {StrataError} from "@strata/base";
import {type HttpRequest, type HttpResponse, plainText} from "./http-types.ts";
import type {Router} from "./router.ts";

const DEFAULT_SECONDS = 30;
/** Longer profiles hold too many samples to be opened. */
const MOST_SECONDS = 600;

/** Adds `/debug/pprof/`: V8's CPU profile, sampled allocations and heap snapshot. */
export function addProfileRoutes(router: Router): void {
  router.get("/debug/pprof/", () =>
    plainText(
      200,
      "profile?seconds=30  CPU profile (.cpuprofile)\nheap  heap snapshot (.heapsnapshot)\nheap?seconds=30  sampled allocations (.heapprofile)\n",
    ),
  );
  router.get("/debug/pprof/profile", async (request) => {
    const profile = await cpuProfile(seconds(request) ?? DEFAULT_SECONDS, request.signal);
    return download("profile.cpuprofile", JSON.stringify(profile));
  });
  router.get("/debug/pprof/heap", async (request) => {
    const wanted = seconds(request);
    if (wanted === undefined) return download("heap.heapsnapshot", v8.getHeapSnapshot());
    return download("heap.heapprofile", JSON.stringify(await allocationProfile(wanted, request.signal)));
  });
}

function seconds(request: HttpRequest): number | undefined {
  const text = request.query.get("seconds");
  if (text === null) return undefined;
  const value = Number(text);
  if (value > 0 && value <= MOST_SECONDS) return value;
  throw new StrataError(
    "bad_data",
    `cannot profile for ${JSON.stringify(text)} seconds; want more than 0 and at most ${MOST_SECONDS}`,
  );
}

async function cpuProfile(forSeconds: number, signal: AbortSignal): Promise<unknown> {
  return withSession(async (session) => {
    await session.post("Profiler.enable");
    await session.post("Profiler.start");
    await delay(forSeconds * 1000, undefined, {signal});
    return (await session.post("Profiler.stop")).profile;
  });
}

async function allocationProfile(forSeconds: number, signal: AbortSignal): Promise<unknown> {
  return withSession(async (session) => {
    await session.post("HeapProfiler.startSampling");
    await delay(forSeconds * 1000, undefined, {signal});
    return (await session.post("HeapProfiler.stopSampling")).profile;
  });
}

async function withSession(work: (session: Session) => Promise<unknown>): Promise<unknown> {
  const {Session: Inspector} = await import("node:inspector/promises");
  const session = new Inspector();
  session.connect();
  try {
    return await work(session);
  } finally {
    session.disconnect();
  }
}

const download = (name: string, body: string | AsyncIterable<Uint8Array>): HttpResponse => ({
  status: 200,
  headers: {"content-type": "application/octet-stream", "content-disposition": `attachment; filename="${name}"`},
  body,
});
