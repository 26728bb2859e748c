// Written by src/generator.ts from proto/*.proto. Do not edit.
import {type Codec, codec, type Init, type MethodDef} from "../codec.ts";
import type {WireReader} from "../wire-reader.ts";
import type {WireWriter} from "../wire-writer.ts";

export const ServingStatus = {
  UNKNOWN: 0,
  SERVING: 1,
  NOT_SERVING: 2,
  SERVICE_UNKNOWN: 3,
} as const;

export type HealthCheckRequest = {
  service: string;
};

export function writeHealthCheckRequest(m: Init<HealthCheckRequest>, w: WireWriter): void {
  if (m.service) {
    w.uint32(10);
    w.string(m.service);
  }
}

export function readHealthCheckRequest(r: WireReader): HealthCheckRequest {
  const m: HealthCheckRequest = {
    service: "",
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.service = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const HealthCheckRequest: Codec<HealthCheckRequest> = codec("grpc.health.v1.HealthCheckRequest", writeHealthCheckRequest, readHealthCheckRequest);

export type HealthCheckResponse = {
  status: number;
};

export function writeHealthCheckResponse(m: Init<HealthCheckResponse>, w: WireWriter): void {
  if (m.status) {
    w.uint32(8);
    w.int32(m.status);
  }
}

export function readHealthCheckResponse(r: WireReader): HealthCheckResponse {
  const m: HealthCheckResponse = {
    status: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.status = r.int32();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const HealthCheckResponse: Codec<HealthCheckResponse> = codec("grpc.health.v1.HealthCheckResponse", writeHealthCheckResponse, readHealthCheckResponse);

export type HealthListRequest = {

};

export function writeHealthListRequest(_m: Init<HealthListRequest>, _w: WireWriter): void {

}

export function readHealthListRequest(r: WireReader): HealthListRequest {
  const m: HealthListRequest = {

  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {

      default:
        r.skip(tag);
    }
  }
  return m;
}

export const HealthListRequest: Codec<HealthListRequest> = codec("grpc.health.v1.HealthListRequest", writeHealthListRequest, readHealthListRequest);

export type HealthListResponse = {
  statuses: Map<string, HealthCheckResponse>;
};

export function writeHealthListResponse(m: Init<HealthListResponse>, w: WireWriter): void {
  if (m.statuses !== undefined) for (const [key, value] of m.statuses) {
    w.uint32(10);
    const entry = w.open();
    w.uint32(10);
    w.string(key);
    w.uint32(18);
    const mark = w.open();
    writeHealthCheckResponse(value, w);
    w.close(mark);
    w.close(entry);
  }
}

export function readHealthListResponse(r: WireReader): HealthListResponse {
  const m: HealthListResponse = {
    statuses: new Map(),
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        let key = "";
        let value: HealthCheckResponse | undefined;
        while (r.pos < r.end) {
          const inner = r.uint32();
          if (inner === 10) key = r.string();
          else if (inner === 18) {
            const end = r.enter();
            value = readHealthCheckResponse(r);
            r.leave(end);
          } else r.skip(inner);
        }
        r.leave(outer);
        m.statuses.set(key, value ?? HealthCheckResponse.decode(new Uint8Array(0)));
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const HealthListResponse: Codec<HealthListResponse> = codec("grpc.health.v1.HealthListResponse", writeHealthListResponse, readHealthListResponse);

export const HealthService = {
  Check: {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    request: HealthCheckRequest,
    response: HealthCheckResponse,
  } satisfies MethodDef<HealthCheckRequest, HealthCheckResponse>,
  List: {
    path: "/grpc.health.v1.Health/List",
    requestStream: false,
    responseStream: false,
    request: HealthListRequest,
    response: HealthListResponse,
  } satisfies MethodDef<HealthListRequest, HealthListResponse>,
  Watch: {
    path: "/grpc.health.v1.Health/Watch",
    requestStream: false,
    responseStream: true,
    request: HealthCheckRequest,
    response: HealthCheckResponse,
  } satisfies MethodDef<HealthCheckRequest, HealthCheckResponse>,
};
