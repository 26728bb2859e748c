import type http from "node:http";
import type http2 from "node:http2";
import type https from "node:https";
import type tls from "node:tls";

/*
 * Node's servers and clients, loaded at first use. PERF: `import "node:http"` reads every export, and some of them are
 * getters that load WebSocket and fetch: 55 ms of CPU at the start of a program that needs none of it, 5 ms this way.
 * https and http2 take another 30 ms, which only programs with certificates pay.
 */
export const nodeHttp = (): typeof http => process.getBuiltinModule("node:http");
export const nodeHttps = (): typeof https => process.getBuiltinModule("node:https");
export const nodeHttp2 = (): typeof http2 => process.getBuiltinModule("node:http2");
export const nodeTls = (): typeof tls => process.getBuiltinModule("node:tls");
