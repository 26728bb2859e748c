import type {IncomingHttpHeaders, IncomingMessage} from "node:http";
import type {TLSSocket} from "node:tls";
import {StrataError} from "@strata/base";

export const DEFAULT_TENANT_HEADER = "THANOS-TENANT";
export const DEFAULT_TENANT = "default-tenant";

export type CertificateField = "" | "organization" | "organizationalUnit" | "commonName";

export type TenantConfig = {
  /** Looked at first; the default header after it. */
  readonly header: string;
  readonly defaultTenant: string;
  /** Where set, the client's certificate decides and must have the field. */
  readonly certificateField: CertificateField;
  /** `a|b` in the header names two tenants. */
  readonly federation?: boolean | undefined;
};

export const DEFAULT_TENANT_CONFIG: TenantConfig = {
  header: DEFAULT_TENANT_HEADER,
  defaultTenant: DEFAULT_TENANT,
  certificateField: "",
};

/** The tenant of a request. Throws `bad_data` where it is no plain path element, or the certificate lacks the field. */
export function resolveTenant(raw: IncomingMessage, config: TenantConfig): string {
  const tenant =
    config.certificateField === ""
      ? tenantOfHeaders(raw.headers, config)
      : tenantOfCertificate(raw.socket as TLSSocket, config.certificateField);
  const names = config.federation === true && config.certificateField === "" ? tenant.split("|") : [tenant];
  if (!names.every((name) => name !== "." && name !== ".." && !/[/\\\0]/.test(name))) throw notValid();
  // One name of several that is empty would be series without a tenant.
  if (names.length > 1 && names.includes("")) throw notValid();
  return tenant;
}

const notValid = (): StrataError => new StrataError("bad_data", "tenant name not valid");

function tenantOfHeaders(headers: IncomingHttpHeaders, config: TenantConfig): string {
  for (const name of [config.header, DEFAULT_TENANT_HEADER]) {
    const value = headers[name.toLowerCase()];
    const text = Array.isArray(value) ? value[0] : value;
    if (text !== undefined && text !== "") return text;
  }
  return config.defaultTenant;
}

const SUBJECT_KEYS = {organization: "O", organizationalUnit: "OU", commonName: "CN"} as const;

function tenantOfCertificate(socket: TLSSocket, field: Exclude<CertificateField, "">): string {
  const subject = typeof socket.getPeerCertificate === "function" ? socket.getPeerCertificate().subject : undefined;
  const value = subject?.[SUBJECT_KEYS[field]];
  const text = Array.isArray(value) ? value[0] : value;
  if (text === undefined || text === "") {
    throw new StrataError("bad_data", `could not get required certificate field ${field} from the client certificate`);
  }
  return text;
}
