import {errorText, StrataError} from "@strata/base";
import type {Registry} from "@strata/telemetry";
import {parse} from "yaml";
import {ITEM_TYPES, type ItemType} from "./cache-keys.ts";
import {DEFAULT_CACHE_ITEM_BYTES, type IndexCache, memoryIndexCache} from "./index-cache.ts";

const TOP_KEYS = ["type", "config", "enabled_items", "ttl"];

/** Backends that Thanos knows and Strata does not (yet). */
const UNSUPPORTED = ["MEMCACHED", "REDIS", "GROUPCACHE"];

type Fields = Readonly<Record<string, unknown>>;

/**
 * The index cache that `--index-cache.config` describes; an empty text is one in memory of `defaultBytes`
 * (`--index-cache-size`). Throws `bad_data` with a one-line text.
 */
export function indexCacheFromConfig(yamlText: string, defaultBytes: number, registry: Registry): IndexCache {
  if (yamlText.trim() === "") {
    return memoryIndexCache({registry, maxBytes: defaultBytes, maxItemBytes: DEFAULT_CACHE_ITEM_BYTES});
  }
  let document: unknown;
  try {
    document = parse(yamlText);
  } catch (err) {
    throw bad(errorText(err).split("\n")[0] ?? "", err);
  }
  const top = mapping(document, "it");
  for (const key of Object.keys(top)) {
    if (!TOP_KEYS.includes(key)) throw bad(`unknown key ${JSON.stringify(key)}; known are ${TOP_KEYS.join(", ")}`);
  }
  const type = String(top.type ?? "").toUpperCase();
  if (type !== "IN-MEMORY") {
    const known = UNSUPPORTED.includes(type);
    throw bad(
      `index cache with type ${String(top.type ?? "")} is not supported${known ? " yet" : ""}; supported is IN-MEMORY`,
    );
  }
  const config = top.config === undefined || top.config === null ? {} : mapping(top.config, "config");
  const maxBytes = sizeOf(config, "max_size", 250 * 1024 ** 2);
  const maxItemBytes = sizeOf(config, "max_item_size", DEFAULT_CACHE_ITEM_BYTES);
  if (maxItemBytes > maxBytes)
    throw bad(`max item size (${maxItemBytes}) cannot be bigger than overall cache size (${maxBytes})`);
  return memoryIndexCache({registry, maxBytes, maxItemBytes, enabled: enabledItems(top.enabled_items)});
}

function enabledItems(value: unknown): readonly ItemType[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw bad("enabled_items is not a list");
  if (value.length === 0) return undefined;
  return value.map((item) => {
    const type = ITEM_TYPES.find((known) => known === item);
    if (type === undefined)
      throw bad(`unsupported item type ${String(item)} in enabled_items; known are ${ITEM_TYPES.join(", ")}`);
    return type;
  });
}

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];

/** Compat: units are powers of 1024 with or without an "i" in them; a bare number counts bytes. */
function sizeOf(config: Fields, key: string, otherwise: number): number {
  const value = config[key];
  if (value === undefined || value === null || value === "" || value === 0) return otherwise;
  const match = /^([0-9]+(?:\.[0-9]+)?) *([A-Za-z]*)$/.exec(String(value).trim());
  const unit = (match?.[2] ?? "").toUpperCase().replace(/^([KMGTP])IB$/, "$1B");
  const power = unit === "" ? 0 : UNITS.indexOf(unit);
  if (match === null || power < 0) throw bad(`${key}: ${JSON.stringify(value)} is not a size such as 250MB`);
  return Math.trunc(Number(match[1]) * 1024 ** power);
}

function mapping(value: unknown, what: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw bad(`${what} is not a mapping`);
}

const bad = (why: string, cause?: unknown): StrataError =>
  new StrataError("bad_data", `cannot read index cache configuration: ${why}`, {cause});
