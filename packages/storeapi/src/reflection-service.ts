import {FILE_DESCRIPTORS, type Init, reflectionV1, reflectionV1Alpha} from "@strata/proto";
import type {GrpcServer} from "./grpc-server.ts";
import {GRPC_CODE} from "./grpc-status.ts";

type Request = reflectionV1.ServerReflectionRequest;
type Response = Init<reflectionV1.ServerReflectionResponse>;

/** gRPC reflection, both versions: what services there are, and the files that describe them. */
export function serveReflection(server: GrpcServer): void {
  const answer = (request: Request): Response => ({
    validHost: request.host,
    originalRequest: request,
    ...reply(request, server.services),
  });
  server.bidi(reflectionV1.ServerReflectionService.ServerReflectionInfo, answer);
  server.bidi(reflectionV1Alpha.ServerReflectionService.ServerReflectionInfo, answer);
}

function reply(request: Request, services: readonly string[]): Response {
  if (request.listServices !== undefined) {
    return {listServicesResponse: {service: [...services].sort().map((name) => ({name}))}};
  }
  if (request.fileByFilename !== undefined) {
    const name = request.fileByFilename;
    return files(FILE_DESCRIPTORS.find((f) => f.name === name)?.name, name);
  }
  if (request.fileContainingSymbol !== undefined) {
    const symbol = request.fileContainingSymbol;
    return files(FILE_DESCRIPTORS.find((f) => f.symbols.includes(symbol))?.name, symbol);
  }
  return missing("extensions: there are none");
}

/** A file with all it imports. */
function files(name: string | undefined, asked: string): Response {
  if (name === undefined) return missing(asked);
  const out: Buffer[] = [];
  const seen = new Set<string>();
  const add = (file: string): void => {
    const found = FILE_DESCRIPTORS.find((f) => f.name === file);
    if (found === undefined || seen.has(file)) return;
    seen.add(file);
    out.push(Buffer.from(found.base64, "base64"));
    for (const d of found.dependencies) add(d);
  };
  add(name);
  return {fileDescriptorResponse: {fileDescriptorProto: out}};
}

const missing = (what: string): Response => ({
  errorResponse: {errorCode: GRPC_CODE.NotFound, errorMessage: `cannot find ${what}`},
});
