import type {TlsOptions} from "@strata/base";

/** How soon a replaced certificate is noticed; its files are read that often while requests go out. */
const LOOK_MS = 10_000;

/** TLS options whose files may be replaced: certificates that rotate expire long before the process ends. */
export class TlsSource {
  readonly #read: () => TlsOptions;
  readonly #everyMs: number;
  #options: TlsOptions;
  #lookedAt = performance.now();

  /** `read` throws when something is wrong, now or later: now it is the caller's, later the options before stay. */
  constructor(read: () => TlsOptions, everyMs = LOOK_MS) {
    this.#read = read;
    this.#everyMs = everyMs;
    this.#options = read();
  }

  /** The options as they are; the same object while nothing has changed. */
  get options(): TlsOptions {
    const now = performance.now();
    if (now - this.#lookedAt < this.#everyMs) return this.#options;
    this.#lookedAt = now;
    try {
      const read = this.#read();
      if (!isSame(read, this.#options)) this.#options = read;
    } catch {
      // A file may be missing while it is being replaced.
    }
    return this.#options;
  }
}

const NOTHING = Buffer.alloc(0);

const isSame = (a: TlsOptions, b: TlsOptions): boolean =>
  (["ca", "cert", "key"] as const).every((name) => (a[name] ?? NOTHING).equals(b[name] ?? NOTHING));
