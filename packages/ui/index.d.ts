/** Absolute path of the built pages: `index.html` and `static/`. It is not there before the set-up has run. */
export declare const assetsDir: string;

/** Paths below the prefix that show `index.html`, without a slash in front; "" is the prefix itself. */
export declare const pages: readonly string[];
