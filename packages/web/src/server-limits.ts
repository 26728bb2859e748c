/** What Go's server allows, too: a query in the URL may be long, and take long to be answered. */
export const SERVER_LIMITS = {maxHeaderSize: 1 << 20, requestTimeout: 0} as const;
