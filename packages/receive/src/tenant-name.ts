import {StrataError} from "@strata/base";

/** Directories of the root that are nobody's. */
export const NO_TENANTS: ReadonlySet<string> = new Set(["lost+found"]);
/** Longest name of a directory on the usual file systems. */
const MAX_NAME_BYTES = 255;

/** Throws `bad_data` unless the name can be a directory of its own below another. */
export function checkTenantName(tenant: string): void {
  const bad =
    tenant === "" ||
    tenant === "." ||
    tenant === ".." ||
    NO_TENANTS.has(tenant) ||
    /[/\\\0]/.test(tenant) ||
    Buffer.byteLength(tenant) > MAX_NAME_BYTES;
  if (bad) throw new StrataError("bad_data", "tenant name not valid");
}
