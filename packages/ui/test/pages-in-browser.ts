import {existsSync} from "node:fs";
import {join} from "node:path";
import {CHROMIUM_ARGS, requireTool} from "@strata/base/testing";
import {type Browser, chromium, type Page} from "playwright-core";
import {assetsDir} from "../index.js";
import {type FakeServer, type Handler, serveFake} from "./fake-api.ts";
import {THEN} from "./made-up.ts";

const tool = requireTool("chromium");

/** Why no page can be driven here; false when they can. */
export const skip =
  tool.skip || (existsSync(join(assetsDir, "index.html")) ? false : "missing: the pages are not built");

export type OpenOptions = {
  readonly width?: number;
  readonly dark?: boolean;
  /**
   * The page's clock, near the moment that everything made up belongs to: it stands still there, so that pictures are
   * alike, or goes as the test says.
   */
  readonly clock?: "still" | "steered";
};

/** The built pages over a made-up server in a browser. */
export class PagesInBrowser {
  readonly server: FakeServer;
  readonly #browser: Browser;
  /** Requests that left the prefix, and whatever the console complained about. */
  readonly problems: string[] = [];

  private constructor(server: FakeServer, browser: Browser) {
    this.server = server;
    this.#browser = browser;
  }

  static async start(handlers: Readonly<Record<string, Handler>>): Promise<PagesInBrowser> {
    const server = await serveFake(handlers);
    const browser = await chromium.launch({executablePath: tool.path, headless: true, args: [...CHROMIUM_ARGS]});
    return new PagesInBrowser(server, browser);
  }

  /** Opens a path below the prefix, with nothing stored. */
  async open(path: string, {width = 1280, dark = false, clock}: OpenOptions = {}): Promise<Page> {
    const page = await this.#browser.newPage({
      viewport: {width, height: 900},
      colorScheme: dark ? "dark" : "light",
      reducedMotion: "reduce",
      timezoneId: "UTC",
    });
    if (clock === "still") await page.clock.setFixedTime(THEN + 60_000);
    if (clock === "steered") await page.clock.install({time: THEN + 60_000});
    page.on("request", (request) => {
      if (!request.url().startsWith(this.server.url)) this.problems.push(`request to ${request.url()}`);
    });
    page.on("pageerror", (err) => this.problems.push(err.message));
    page.on("console", (message) => {
      // The browser itself reports every answer of status 4xx.
      if (message.type() === "error" && !message.text().includes("Failed to load resource"))
        this.problems.push(message.text());
    });
    await page.goto(this.server.url + path);
    return page;
  }

  /** The parameters of the last call of an API path. */
  asked(path: string): URLSearchParams | undefined {
    return this.server.asked.filter((call) => call.path === path).at(-1)?.params;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.server.close();
  }
}

/** Pixels in the chart's canvas that are clearly coloured: more than grid and labels have. */
export async function inkedPixels(page: Page): Promise<number> {
  return (await page.evaluate(`(() => {
    const canvas = document.querySelector(".chart canvas");
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let n = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] > 128 && Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 60) n++;
    }
    return n;
  })()`)) as number;
}
