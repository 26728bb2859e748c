import {createHmac, randomBytes} from "node:crypto";
import bcrypt from "bcryptjs";

/** Outcomes to remember: bcrypt takes some 50 ms of the event loop's thread. */
const CACHE_SIZE = 100;

/** Compared with for users that do not exist, so that their absence does not show in the time an answer takes. */
const NOBODY = "$2b$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

/** Checks `Authorization: Basic` headers against bcrypt hashes. One comparison at a time. */
export class BasicAuth {
  readonly #users: ReadonlyMap<string, string>;
  /** Keys are keyed digests, because passwords must not stay in memory. */
  readonly #known = new Map<string, boolean>();
  readonly #secret = randomBytes(32);
  #last: Promise<unknown> = Promise.resolve();

  constructor(users: ReadonlyMap<string, string>) {
    this.#users = users;
  }

  async allows(header: string | undefined): Promise<boolean> {
    const given = credentials(header);
    const hash = this.#users.get(given.user);
    const key = createHmac("sha256", this.#secret)
      .update(JSON.stringify([given.user, given.password, hash]))
      .digest("hex");
    let matches = this.#known.get(key);
    if (matches === undefined) {
      const turn = this.#last.then(() => bcrypt.compare(given.password, hash ?? NOBODY));
      this.#last = turn.catch(() => undefined);
      matches = await turn;
      if (this.#known.size >= CACHE_SIZE) this.#known.delete(this.#known.keys().next().value as string);
      this.#known.set(key, matches);
    }
    return matches && hash !== undefined;
  }
}

/** User and password of the header; a header that is none gives a pair that no user has. */
function credentials(header: string | undefined): {user: string; password: string} {
  const match = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header ?? "");
  const text = Buffer.from(match?.[1] ?? "", "base64").toString("utf8");
  const at = text.indexOf(":");
  return at < 0 ? {user: "", password: ""} : {user: text.slice(0, at), password: text.slice(at + 1)};
}
