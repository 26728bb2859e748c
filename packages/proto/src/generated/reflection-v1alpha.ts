// Written by src/generator.ts from proto/*.proto. Do not edit.
import {type Codec, codec, type Init, type MethodDef} from "../codec.ts";
import type {WireReader} from "../wire-reader.ts";
import type {WireWriter} from "../wire-writer.ts";

export type ServerReflectionRequest = {
  host: string;
  fileByFilename: string | undefined;
  fileContainingSymbol: string | undefined;
  fileContainingExtension: ExtensionRequest | undefined;
  allExtensionNumbersOfType: string | undefined;
  listServices: string | undefined;
};

export function writeServerReflectionRequest(m: Init<ServerReflectionRequest>, w: WireWriter): void {
  if (m.host) {
    w.uint32(10);
    w.string(m.host);
  }
  if (m.fileByFilename !== undefined) {
    w.uint32(26);
    w.string(m.fileByFilename);
  }
  if (m.fileContainingSymbol !== undefined) {
    w.uint32(34);
    w.string(m.fileContainingSymbol);
  }
  if (m.fileContainingExtension !== undefined) {
    w.uint32(42);
    const mark = w.open();
    writeExtensionRequest(m.fileContainingExtension, w);
    w.close(mark);
  }
  if (m.allExtensionNumbersOfType !== undefined) {
    w.uint32(50);
    w.string(m.allExtensionNumbersOfType);
  }
  if (m.listServices !== undefined) {
    w.uint32(58);
    w.string(m.listServices);
  }
}

export function readServerReflectionRequest(r: WireReader): ServerReflectionRequest {
  const m: ServerReflectionRequest = {
    host: "",
    fileByFilename: undefined,
    fileContainingSymbol: undefined,
    fileContainingExtension: undefined,
    allExtensionNumbersOfType: undefined,
    listServices: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.host = r.string();
        break;
      case 26:
        m.fileContainingSymbol = undefined; m.fileContainingExtension = undefined; m.allExtensionNumbersOfType = undefined; m.listServices = undefined; m.fileByFilename = r.string();
        break;
      case 34:
        m.fileByFilename = undefined; m.fileContainingExtension = undefined; m.allExtensionNumbersOfType = undefined; m.listServices = undefined; m.fileContainingSymbol = r.string();
        break;
      case 42: {
        const outer = r.enter();
        m.fileByFilename = undefined; m.fileContainingSymbol = undefined; m.allExtensionNumbersOfType = undefined; m.listServices = undefined; m.fileContainingExtension = readExtensionRequest(r);
        r.leave(outer);
        break;
      }
      case 50:
        m.fileByFilename = undefined; m.fileContainingSymbol = undefined; m.fileContainingExtension = undefined; m.listServices = undefined; m.allExtensionNumbersOfType = r.string();
        break;
      case 58:
        m.fileByFilename = undefined; m.fileContainingSymbol = undefined; m.fileContainingExtension = undefined; m.allExtensionNumbersOfType = undefined; m.listServices = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ServerReflectionRequest: Codec<ServerReflectionRequest> = codec("grpc.reflection.v1alpha.ServerReflectionRequest", writeServerReflectionRequest, readServerReflectionRequest);

export type ExtensionRequest = {
  containingType: string;
  extensionNumber: number;
};

export function writeExtensionRequest(m: Init<ExtensionRequest>, w: WireWriter): void {
  if (m.containingType) {
    w.uint32(10);
    w.string(m.containingType);
  }
  if (m.extensionNumber) {
    w.uint32(16);
    w.int32(m.extensionNumber);
  }
}

export function readExtensionRequest(r: WireReader): ExtensionRequest {
  const m: ExtensionRequest = {
    containingType: "",
    extensionNumber: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.containingType = r.string();
        break;
      case 16:
        m.extensionNumber = r.int32();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ExtensionRequest: Codec<ExtensionRequest> = codec("grpc.reflection.v1alpha.ExtensionRequest", writeExtensionRequest, readExtensionRequest);

export type ServerReflectionResponse = {
  validHost: string;
  originalRequest: ServerReflectionRequest | undefined;
  fileDescriptorResponse: FileDescriptorResponse | undefined;
  allExtensionNumbersResponse: ExtensionNumberResponse | undefined;
  listServicesResponse: ListServiceResponse | undefined;
  errorResponse: ErrorResponse | undefined;
};

export function writeServerReflectionResponse(m: Init<ServerReflectionResponse>, w: WireWriter): void {
  if (m.validHost) {
    w.uint32(10);
    w.string(m.validHost);
  }
  if (m.originalRequest !== undefined) {
    w.uint32(18);
    const mark = w.open();
    writeServerReflectionRequest(m.originalRequest, w);
    w.close(mark);
  }
  if (m.fileDescriptorResponse !== undefined) {
    w.uint32(34);
    const mark = w.open();
    writeFileDescriptorResponse(m.fileDescriptorResponse, w);
    w.close(mark);
  }
  if (m.allExtensionNumbersResponse !== undefined) {
    w.uint32(42);
    const mark = w.open();
    writeExtensionNumberResponse(m.allExtensionNumbersResponse, w);
    w.close(mark);
  }
  if (m.listServicesResponse !== undefined) {
    w.uint32(50);
    const mark = w.open();
    writeListServiceResponse(m.listServicesResponse, w);
    w.close(mark);
  }
  if (m.errorResponse !== undefined) {
    w.uint32(58);
    const mark = w.open();
    writeErrorResponse(m.errorResponse, w);
    w.close(mark);
  }
}

export function readServerReflectionResponse(r: WireReader): ServerReflectionResponse {
  const m: ServerReflectionResponse = {
    validHost: "",
    originalRequest: undefined,
    fileDescriptorResponse: undefined,
    allExtensionNumbersResponse: undefined,
    listServicesResponse: undefined,
    errorResponse: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.validHost = r.string();
        break;
      case 18: {
        const outer = r.enter();
        m.originalRequest = readServerReflectionRequest(r);
        r.leave(outer);
        break;
      }
      case 34: {
        const outer = r.enter();
        m.allExtensionNumbersResponse = undefined; m.listServicesResponse = undefined; m.errorResponse = undefined; m.fileDescriptorResponse = readFileDescriptorResponse(r);
        r.leave(outer);
        break;
      }
      case 42: {
        const outer = r.enter();
        m.fileDescriptorResponse = undefined; m.listServicesResponse = undefined; m.errorResponse = undefined; m.allExtensionNumbersResponse = readExtensionNumberResponse(r);
        r.leave(outer);
        break;
      }
      case 50: {
        const outer = r.enter();
        m.fileDescriptorResponse = undefined; m.allExtensionNumbersResponse = undefined; m.errorResponse = undefined; m.listServicesResponse = readListServiceResponse(r);
        r.leave(outer);
        break;
      }
      case 58: {
        const outer = r.enter();
        m.fileDescriptorResponse = undefined; m.allExtensionNumbersResponse = undefined; m.listServicesResponse = undefined; m.errorResponse = readErrorResponse(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ServerReflectionResponse: Codec<ServerReflectionResponse> = codec("grpc.reflection.v1alpha.ServerReflectionResponse", writeServerReflectionResponse, readServerReflectionResponse);

export type FileDescriptorResponse = {
  fileDescriptorProto: Uint8Array[];
};

export function writeFileDescriptorResponse(m: Init<FileDescriptorResponse>, w: WireWriter): void {
  if (m.fileDescriptorProto !== undefined) for (const x of m.fileDescriptorProto) {
    w.uint32(10);
    w.bytes(x);
  }
}

export function readFileDescriptorResponse(r: WireReader): FileDescriptorResponse {
  const m: FileDescriptorResponse = {
    fileDescriptorProto: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.fileDescriptorProto.push(r.view());
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const FileDescriptorResponse: Codec<FileDescriptorResponse> = codec("grpc.reflection.v1alpha.FileDescriptorResponse", writeFileDescriptorResponse, readFileDescriptorResponse);

export type ExtensionNumberResponse = {
  baseTypeName: string;
  extensionNumber: number[];
};

export function writeExtensionNumberResponse(m: Init<ExtensionNumberResponse>, w: WireWriter): void {
  if (m.baseTypeName) {
    w.uint32(10);
    w.string(m.baseTypeName);
  }
  if (m.extensionNumber !== undefined && m.extensionNumber.length > 0) {
    w.uint32(18);
    const mark = w.open();
    for (const x of m.extensionNumber) w.int32(x);
    w.close(mark);
  }
}

export function readExtensionNumberResponse(r: WireReader): ExtensionNumberResponse {
  const m: ExtensionNumberResponse = {
    baseTypeName: "",
    extensionNumber: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.baseTypeName = r.string();
        break;
      case 16:
        m.extensionNumber.push(r.int32());
        break;
      case 18: {
        const outer = r.enter();
        while (r.pos < r.end) m.extensionNumber.push(r.int32());
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ExtensionNumberResponse: Codec<ExtensionNumberResponse> = codec("grpc.reflection.v1alpha.ExtensionNumberResponse", writeExtensionNumberResponse, readExtensionNumberResponse);

export type ListServiceResponse = {
  service: ServiceResponse[];
};

export function writeListServiceResponse(m: Init<ListServiceResponse>, w: WireWriter): void {
  if (m.service !== undefined) for (const x of m.service) {
    w.uint32(10);
    const mark = w.open();
    writeServiceResponse(x, w);
    w.close(mark);
  }
}

export function readListServiceResponse(r: WireReader): ListServiceResponse {
  const m: ListServiceResponse = {
    service: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.service.push(readServiceResponse(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ListServiceResponse: Codec<ListServiceResponse> = codec("grpc.reflection.v1alpha.ListServiceResponse", writeListServiceResponse, readListServiceResponse);

export type ServiceResponse = {
  name: string;
};

export function writeServiceResponse(m: Init<ServiceResponse>, w: WireWriter): void {
  if (m.name) {
    w.uint32(10);
    w.string(m.name);
  }
}

export function readServiceResponse(r: WireReader): ServiceResponse {
  const m: ServiceResponse = {
    name: "",
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.name = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ServiceResponse: Codec<ServiceResponse> = codec("grpc.reflection.v1alpha.ServiceResponse", writeServiceResponse, readServiceResponse);

export type ErrorResponse = {
  errorCode: number;
  errorMessage: string;
};

export function writeErrorResponse(m: Init<ErrorResponse>, w: WireWriter): void {
  if (m.errorCode) {
    w.uint32(8);
    w.int32(m.errorCode);
  }
  if (m.errorMessage) {
    w.uint32(18);
    w.string(m.errorMessage);
  }
}

export function readErrorResponse(r: WireReader): ErrorResponse {
  const m: ErrorResponse = {
    errorCode: 0,
    errorMessage: "",
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.errorCode = r.int32();
        break;
      case 18:
        m.errorMessage = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ErrorResponse: Codec<ErrorResponse> = codec("grpc.reflection.v1alpha.ErrorResponse", writeErrorResponse, readErrorResponse);

export const ServerReflectionService = {
  ServerReflectionInfo: {
    path: "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    requestStream: true,
    responseStream: true,
    request: ServerReflectionRequest,
    response: ServerReflectionResponse,
  } satisfies MethodDef<ServerReflectionRequest, ServerReflectionResponse>,
};
