import type {Labels} from "@strata/model";
import type {Init, info} from "@strata/proto";
import type {Queryable} from "@strata/series";
import type {StoreClient} from "./store-client.ts";

/** One store as a proxy sees it at this moment. */
export type StoreHandle = {
  readonly address: string;
  /** Sets of external labels, none of them empty; no set at all means that nothing is known. */
  readonly labelSets: readonly Labels[];
  /** ms, both inclusive; ±2^63 where open. */
  readonly mint: number;
  readonly maxt: number;
  readonly supportsSharding: boolean;
  readonly supportsWithoutReplicaLabels: boolean;
  readonly tsdbInfos: readonly Init<info.TSDBInfo>[];
  /** Why it is not asked for now, so that whoever wants partial answers is told what is missing. */
  readonly away?: string | undefined;
  readonly source:
    | {readonly kind: "remote"; readonly client: StoreClient}
    | {readonly kind: "local"; readonly queryable: Queryable};
};

/** A 64-bit time as digits: the extremes, which a number cannot tell apart from their neighbours, exactly. */
export function int64Text(t: number): string {
  if (t >= 2 ** 63) return "9223372036854775807";
  if (t <= -(2 ** 63)) return "-9223372036854775808";
  return BigInt(Math.trunc(t)).toString();
}

/** How a store is called in warnings. Compat: Thanos' words. */
export const storeText = (s: Pick<StoreHandle, "address" | "mint" | "maxt">): string =>
  `Addr: ${s.address} MinTime: ${int64Text(s.mint)} MaxTime: ${int64Text(s.maxt)}`;

/** All label sets in text form, sorted; "" for none. */
export const labelSetsText = (sets: readonly Labels[]): string => sets.map(String).sort().join(",");
