import {once} from "node:events";
import {errorText} from "@strata/base";
import type {FlagTable} from "../flags/spec.ts";
import {PROGRAM} from "../program.ts";
import {type Argument, type CommandContext, type CommandModule, defineCommand} from "./tree.ts";

/** Lines are handed to the pipe in pieces of about this many characters. */
const PIECE = 64 * 1024;

/** Standard output by lines, as fast as the reader takes them. */
export type Output = {
  /** Adds a line, without newline; to be awaited when it gives a promise. */
  line(text: string): Promise<void> | undefined;
};

export type Tool = {
  readonly out: Output;
  /** Aborted by SIGINT and SIGTERM, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
};

class LineOutput implements Output {
  #piece = "";
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  line(text: string): Promise<void> | undefined {
    this.#piece += `${text}\n`;
    return this.#piece.length >= PIECE ? this.flush() : undefined;
  }

  async flush(): Promise<void> {
    this.#signal.throwIfAborted();
    const piece = this.#piece;
    this.#piece = "";
    if (piece !== "" && !process.stdout.write(piece)) await once(process.stdout, "drain", {signal: this.#signal});
  }
}

/**
 * A command that works, prints and ends. What it throws becomes one line on standard error and exit code 1. A reader
 * that goes away (`| head`) ends it quietly; a signal ends it with the code that a shell expects.
 */
export function toolCommand<T extends FlagTable>(
  flags: T,
  args: readonly Argument[],
  run: (context: CommandContext<T>, tool: Tool) => Promise<void>,
): CommandModule {
  return defineCommand(flags, (context) => runTool((tool) => run(context, tool)), args);
}

async function runTool(run: (tool: Tool) => Promise<void>): Promise<number> {
  const stop = new AbortController();
  let code = 1;
  const end = (exitCode: number) => (): void => {
    code = exitCode;
    stop.abort();
  };
  const [onInterrupt, onTerminate] = [end(130), end(143)];
  const onPipe = (err: NodeJS.ErrnoException): void => {
    if (err.code !== "EPIPE") process.stderr.write(`${PROGRAM}: error: cannot write the output: ${err.message}\n`);
    end(err.code === "EPIPE" ? 0 : 1)();
  };
  process.stdout.on("error", onPipe);
  process.once("SIGINT", onInterrupt);
  process.once("SIGTERM", onTerminate);
  const out = new LineOutput(stop.signal);
  try {
    await run({out, signal: stop.signal});
    await out.flush();
    return 0;
  } catch (err) {
    if (stop.signal.aborted) return code;
    await out.flush();
    process.stderr.write(`${PROGRAM}: error: ${errorText(err)}\n`);
    return 1;
  } finally {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onTerminate);
  }
}

/** Says on standard error what the user should know although all went well. */
export function warn(text: string): void {
  process.stderr.write(`${PROGRAM}: warning: ${text}\n`);
}

/** How often the bar is drawn anew. */
const DRAW_MS = 100;
const BAR = 30;

/** Shows on a terminal's standard error how far work of `total` units has come; elsewhere nothing. */
export class Progress {
  readonly #what: string;
  readonly #total: number;
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(what: string, total: number) {
    this.#what = what;
    this.#total = total;
  }

  at(done: number): void {
    const now = performance.now();
    if (!process.stderr.isTTY || now - this.#drawnAt < DRAW_MS) return;
    this.#drawnAt = now;
    const share = this.#total > 0 ? Math.min(1, done / this.#total) : 0;
    const bar = "#".repeat(Math.round(share * BAR)).padEnd(BAR, ".");
    process.stderr.write(`\r${this.#what} [${bar}] ${String(Math.floor(share * 100)).padStart(3)}%`);
  }

  /** Wipes the bar away. */
  end(): void {
    if (this.#drawnAt > Number.NEGATIVE_INFINITY) process.stderr.write("\r\x1b[K");
  }
}
