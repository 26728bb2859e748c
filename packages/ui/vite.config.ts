import react from "@vitejs/plugin-react";
import {defineConfig} from "vite";

// Everything is addressed relative to the page, so that the pages work below any route prefix. `static` is the folder
// that Thanos serves its assets from.
export default defineConfig({
  base: "./",
  plugins: [react()],
  build: {
    assetsDir: "static",
    target: "es2022",
    // No data: URLs and no inline code: the pages run under a content security policy of 'self'.
    assetsInlineLimit: 0,
    modulePreload: {polyfill: false},
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            {
              name: "editor",
              test: /node_modules\/(@codemirror|@lezer|@prometheus-io|lru-cache|crelt|style-mod|w3c-keyname|@marijn)/,
            },
            {name: "react", test: /node_modules\/(react|react-dom|scheduler)\//},
          ],
        },
      },
    },
  },
});
