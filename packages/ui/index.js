import {fileURLToPath} from "node:url";
import {ALIASES, PAGES} from "./pages.js";

/** Absolute path of the built pages: `index.html` and `static/`. It is not there before the set-up has run. */
export const assetsDir = fileURLToPath(new URL("./dist/", import.meta.url));

/** Paths below the prefix that show `index.html`, without a slash in front; "" is the prefix itself. */
export const pages = ["", ...PAGES.map(({path}) => path), ...Object.keys(ALIASES)];
