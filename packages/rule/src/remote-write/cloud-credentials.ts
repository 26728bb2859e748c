import type {ConfigFields} from "@strata/base";
import type {Credentials, MakeCredentials} from "@strata/http-client";

/** Whose keys sign requests for Amazon's services, and how: `sigv4`. "" is left to the environment. */
export type SigV4Config = {
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly profile: string;
  readonly roleArn: string;
  readonly externalId: string;
  readonly fipsSts: boolean;
  readonly service: string;
};

/** Reads a `sigv4` block; undefined where there is none. Throws `bad_data`. */
export function sigV4(fields: ConfigFields): MakeCredentials | undefined {
  // Empty is not nothing: everything is left to the environment then.
  if (fields.raw("sigv4") === undefined) return undefined;
  const block = fields.block("sigv4");
  const config: SigV4Config = {
    region: block.text("region"),
    accessKey: block.text("access_key"),
    secretKey: block.text("secret_key"),
    profile: block.text("profile"),
    roleArn: block.text("role_arn"),
    externalId: block.text("external_id"),
    fipsSts: block.flag("use_fips_sts_endpoint"),
    // Amazon's managed Prometheus.
    service: block.text("service_name", "aps"),
  };
  if ((config.accessKey === "") !== (config.secretKey === "")) {
    throw block.bad("access_key and secret_key are given together or not at all");
  }
  if (config.externalId !== "" && config.roleArn === "") throw block.bad("external_id can only be used with role_arn");
  return () => onDemand(async () => (await import("./sigv4.ts")).sigV4Credentials(config));
}

/** Reads a `google_iam` block; undefined where there is none. Throws `bad_data`. */
export function googleIam(fields: ConfigFields): MakeCredentials | undefined {
  if (fields.raw("google_iam") === undefined) return undefined;
  const keyFile = fields.block("google_iam").text("credentials_file");
  return () => onDemand(async () => (await import("./google-iam.ts")).googleCredentials(keyFile));
}

/** PERF: the clouds' libraries cost tens of milliseconds and megabytes, which only who uses them pays. */
function onDemand(load: () => Promise<Credentials>): Credentials {
  let loaded: Promise<Credentials> | undefined;
  return {
    headers: async (request, signal) => {
      loaded ??= load().catch((err: unknown) => {
        loaded = undefined;
        throw err;
      });
      return (await loaded).headers(request, signal);
    },
    close: () => {
      // What could not be loaded has nothing to close.
      void loaded?.then((credentials) => credentials.close()).catch(() => undefined);
    },
  };
}
