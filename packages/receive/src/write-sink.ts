import type {WriteWindow} from "@strata/kernels";
import type {TenantsMissing} from "./local-writer.ts";
import type {TenantPart} from "./request-rewrite.ts";

/** Where requests go once they are parsed. */
export type WriteSink = {
  /**
   * Takes what it needs of the window before it returns; the promise settles when the write is acknowledged or has
   * failed. Throws TenantsMissing, with nothing written, when databases have to be opened first.
   */
  begin(window: WriteWindow, parts: readonly TenantPart[], replica: number): Promise<void>;
  open(missing: TenantsMissing): Promise<void>;
};
