import {createReadStream} from "node:fs";
import {createInterface} from "node:readline";
import {errorText, StrataError} from "@strata/base";
import {Labels} from "@strata/model";
import {benchWrite} from "@strata/tsdb";
import {benchWriteFlags} from "../flags/tools-tsdb.ts";
import {Progress, toolCommand} from "./tools-output.ts";
import type {CommandModule} from "./tree.ts";

export const benchWriteCommand: CommandModule = toolCommand(
  benchWriteFlags,
  [{name: "file"}],
  async ({flags, args}, {out, signal}) => {
    const {metrics, scrapes} = flags;
    const series = args[0] === undefined ? madeSeries(metrics) : await readSeries(args[0], metrics);
    const progress = new Progress("ingesting", scrapes);
    try {
      await benchWrite(
        {
          out: flags.out,
          series,
          scrapes,
          onProgress: (n) => progress.at(n),
          async onStage({name, seconds, samples}) {
            progress.end();
            await out.line(`>> completed stage=${name} duration=${seconds.toFixed(3)}s`);
            await out.line(` > total samples: ${samples}`);
            await out.line(` > samples/sec: ${(samples / seconds).toFixed(0)}`);
          },
        },
        signal,
      );
    } finally {
      progress.end();
    }
  },
);

/** Series with the labels of a usual target. */
const madeSeries = (count: number): Labels[] =>
  Array.from({length: count}, (_, i) =>
    Labels.fromObject({
      __name__: `bench_requests_${i % 100}_total`,
      job: `job-${i % 10}`,
      instance: `10.0.${(i >> 8) & 255}.${i & 255}:9100`,
      namespace: "production",
      pod: `server-${i}`,
    }),
  );

/** The first `count` different label sets of a file with a JSON object a line. */
async function readSeries(file: string, count: number): Promise<Labels[]> {
  const found = new Map<string, Labels>();
  let number = 0;
  const input = createReadStream(file);
  try {
    for await (const line of createInterface({input})) {
      number++;
      const labels = Labels.fromObject(labelObject(line));
      found.set(String(labels), labels);
      if (found.size >= count) break;
    }
  } catch (err) {
    throw new StrataError("bad_data", `cannot read ${file}:${number}: ${errorText(err)}`, {cause: err});
  } finally {
    input.destroy();
  }
  return [...found.values()];
}

function labelObject(line: string): Record<string, string> {
  const value: unknown = JSON.parse(line);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || !Object.values(value).every((v) => typeof v === "string")) {
    throw new Error("want an object of label names and values");
  }
  return value as Record<string, string>;
}
