import type {ReactNode} from "react";
import {formatAgo, formatTime} from "../format.ts";
import {Facts} from "../parts/facts.tsx";
import {Loaded} from "../parts/loaded.tsx";
import {PageHead} from "../parts/page-head.tsx";
import type {Offer} from "../parts/use-offer.ts";
import {usePolled} from "../parts/use-polled.ts";
import {Cardinality} from "./cardinality.tsx";
import {Flags} from "./flags.tsx";

type Build = Readonly<Record<"version" | "revision" | "branch" | "buildUser" | "buildDate" | "goVersion", string>>;
type Runtime = {readonly startTime: string; readonly CWD: string; readonly GOMAXPROCS: number};

/** Builds and flags change with the process only; this is for a restart behind an open page, ms. */
const SELDOM_MS = 60_000;

/** What this process is, how it was started, and what the heads behind it hold. */
export function StatusPage({offer}: {offer: Offer | undefined}): ReactNode {
  const build = usePolled<Build>("status/buildinfo", SELDOM_MS);
  const runtime = usePolled<Runtime>("status/runtimeinfo", SELDOM_MS);
  return (
    <>
      <PageHead title="Status" />
      <div className="columns">
        <section className="panel" aria-label="Build">
          <h2 className="panel-head">Build</h2>
          <Loaded polled={build} what="the build">
            {(data) => <Facts facts={buildFacts(data, offer)} />}
          </Loaded>
        </section>
        <section className="panel" aria-label="Runtime">
          <h2 className="panel-head">Runtime</h2>
          <Loaded polled={runtime} what="the runtime">
            {(data, at) => <Facts facts={runtimeFacts(data, at)} />}
          </Loaded>
        </section>
      </div>
      {offer?.has("/status/tsdb") && <Cardinality />}
      <Flags />
    </>
  );
}

const buildFacts = (build: Build, offer: Offer | undefined): readonly (readonly [string, string])[] => [
  ["Component", offer?.component ?? ""],
  ["Version", build.version],
  ["Revision", build.revision],
  ["Branch", build.branch],
  ["Built", [build.buildDate, build.buildUser].filter((text) => text !== "").join(" by ")],
  ["Platform", build.goVersion],
];

function runtimeFacts({startTime, CWD, GOMAXPROCS}: Runtime, at: number): readonly (readonly [string, string])[] {
  const started = Date.parse(startTime) / 1000;
  return [
    ["Started", Number.isNaN(started) ? "" : `${formatTime(started)} (${formatAgo(at / 1000 - started)})`],
    ["Processors", String(GOMAXPROCS)],
    ["Directory", CWD],
  ];
}
