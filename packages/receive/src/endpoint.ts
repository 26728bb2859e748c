/** A receiver as a hashring names it. */
export type Endpoint = {
  readonly address: string;
  /** Where it would take Cap'n Proto; only shown. */
  readonly capnprotoAddress: string;
  readonly az: string;
};

/** As errors name it. Compat: Thanos' words. */
export const endpointText = (e: Endpoint): string =>
  `addr: ${e.address}, capnp_addr: ${e.capnprotoAddress}, az: ${e.az}`;
