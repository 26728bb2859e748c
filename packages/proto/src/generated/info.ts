// Written by src/generator.ts from proto/*.proto. Do not edit.
import {type Codec, codec, type Init, type MethodDef} from "../codec.ts";
import type {WireReader} from "../wire-reader.ts";
import type {WireWriter} from "../wire-writer.ts";
import * as thanosPb from "./thanos.ts";

export type InfoRequest = {

};

export function writeInfoRequest(_m: Init<InfoRequest>, _w: WireWriter): void {

}

export function readInfoRequest(r: WireReader): InfoRequest {
  const m: InfoRequest = {

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

export const InfoRequest: Codec<InfoRequest> = codec("thanos.info.InfoRequest", writeInfoRequest, readInfoRequest);

/** The presence of a block says that the endpoint serves that API. */
export type InfoResponse = {
  labelSets: thanosPb.LabelSet[];
  componentType: string;
  store: StoreInfo | undefined;
  rules: RulesInfo | undefined;
  metricMetadata: MetricMetadataInfo | undefined;
  targets: TargetsInfo | undefined;
  exemplars: ExemplarsInfo | undefined;
  query: QueryAPIInfo | undefined;
  status: StatusInfo | undefined;
};

export function writeInfoResponse(m: Init<InfoResponse>, w: WireWriter): void {
  if (m.labelSets !== undefined) for (const x of m.labelSets) {
    w.uint32(10);
    const mark = w.open();
    thanosPb.writeLabelSet(x, w);
    w.close(mark);
  }
  if (m.componentType) {
    w.uint32(18);
    w.string(m.componentType);
  }
  if (m.store !== undefined) {
    w.uint32(26);
    const mark = w.open();
    writeStoreInfo(m.store, w);
    w.close(mark);
  }
  if (m.rules !== undefined) {
    w.uint32(34);
    const mark = w.open();
    writeRulesInfo(m.rules, w);
    w.close(mark);
  }
  if (m.metricMetadata !== undefined) {
    w.uint32(42);
    const mark = w.open();
    writeMetricMetadataInfo(m.metricMetadata, w);
    w.close(mark);
  }
  if (m.targets !== undefined) {
    w.uint32(50);
    const mark = w.open();
    writeTargetsInfo(m.targets, w);
    w.close(mark);
  }
  if (m.exemplars !== undefined) {
    w.uint32(58);
    const mark = w.open();
    writeExemplarsInfo(m.exemplars, w);
    w.close(mark);
  }
  if (m.query !== undefined) {
    w.uint32(66);
    const mark = w.open();
    writeQueryAPIInfo(m.query, w);
    w.close(mark);
  }
  if (m.status !== undefined) {
    w.uint32(74);
    const mark = w.open();
    writeStatusInfo(m.status, w);
    w.close(mark);
  }
}

export function readInfoResponse(r: WireReader): InfoResponse {
  const m: InfoResponse = {
    labelSets: [],
    componentType: "",
    store: undefined,
    rules: undefined,
    metricMetadata: undefined,
    targets: undefined,
    exemplars: undefined,
    query: undefined,
    status: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.labelSets.push(thanosPb.readLabelSet(r));
        r.leave(outer);
        break;
      }
      case 18:
        m.componentType = r.string();
        break;
      case 26: {
        const outer = r.enter();
        m.store = readStoreInfo(r);
        r.leave(outer);
        break;
      }
      case 34: {
        const outer = r.enter();
        m.rules = readRulesInfo(r);
        r.leave(outer);
        break;
      }
      case 42: {
        const outer = r.enter();
        m.metricMetadata = readMetricMetadataInfo(r);
        r.leave(outer);
        break;
      }
      case 50: {
        const outer = r.enter();
        m.targets = readTargetsInfo(r);
        r.leave(outer);
        break;
      }
      case 58: {
        const outer = r.enter();
        m.exemplars = readExemplarsInfo(r);
        r.leave(outer);
        break;
      }
      case 66: {
        const outer = r.enter();
        m.query = readQueryAPIInfo(r);
        r.leave(outer);
        break;
      }
      case 74: {
        const outer = r.enter();
        m.status = readStatusInfo(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const InfoResponse: Codec<InfoResponse> = codec("thanos.info.InfoResponse", writeInfoResponse, readInfoResponse);

export type StoreInfo = {
  minTime: number;
  maxTime: number;
  supportsSharding: boolean;
  supportsWithoutReplicaLabels: boolean;
  tsdbInfos: TSDBInfo[];
  supportsProjections: boolean;
};

export function writeStoreInfo(m: Init<StoreInfo>, w: WireWriter): void {
  if (m.minTime) {
    w.uint32(8);
    w.int64(m.minTime);
  }
  if (m.maxTime) {
    w.uint32(16);
    w.int64(m.maxTime);
  }
  if (m.supportsSharding) {
    w.uint32(24);
    w.bool(m.supportsSharding);
  }
  if (m.supportsWithoutReplicaLabels) {
    w.uint32(40);
    w.bool(m.supportsWithoutReplicaLabels);
  }
  if (m.tsdbInfos !== undefined) for (const x of m.tsdbInfos) {
    w.uint32(50);
    const mark = w.open();
    writeTSDBInfo(x, w);
    w.close(mark);
  }
  if (m.supportsProjections) {
    w.uint32(56);
    w.bool(m.supportsProjections);
  }
}

export function readStoreInfo(r: WireReader): StoreInfo {
  const m: StoreInfo = {
    minTime: 0,
    maxTime: 0,
    supportsSharding: false,
    supportsWithoutReplicaLabels: false,
    tsdbInfos: [],
    supportsProjections: false,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.minTime = r.int64();
        break;
      case 16:
        m.maxTime = r.int64();
        break;
      case 24:
        m.supportsSharding = r.bool();
        break;
      case 40:
        m.supportsWithoutReplicaLabels = r.bool();
        break;
      case 50: {
        const outer = r.enter();
        m.tsdbInfos.push(readTSDBInfo(r));
        r.leave(outer);
        break;
      }
      case 56:
        m.supportsProjections = r.bool();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const StoreInfo: Codec<StoreInfo> = codec("thanos.info.StoreInfo", writeStoreInfo, readStoreInfo);

export type TSDBInfo = {
  labels: thanosPb.LabelSet | undefined;
  minTime: number;
  maxTime: number;
};

export function writeTSDBInfo(m: Init<TSDBInfo>, w: WireWriter): void {
  if (m.labels !== undefined) {
    w.uint32(10);
    const mark = w.open();
    thanosPb.writeLabelSet(m.labels, w);
    w.close(mark);
  }
  if (m.minTime) {
    w.uint32(16);
    w.int64(m.minTime);
  }
  if (m.maxTime) {
    w.uint32(24);
    w.int64(m.maxTime);
  }
}

export function readTSDBInfo(r: WireReader): TSDBInfo {
  const m: TSDBInfo = {
    labels: undefined,
    minTime: 0,
    maxTime: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.labels = thanosPb.readLabelSet(r);
        r.leave(outer);
        break;
      }
      case 16:
        m.minTime = r.int64();
        break;
      case 24:
        m.maxTime = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const TSDBInfo: Codec<TSDBInfo> = codec("thanos.info.TSDBInfo", writeTSDBInfo, readTSDBInfo);

export type RulesInfo = {

};

export function writeRulesInfo(_m: Init<RulesInfo>, _w: WireWriter): void {

}

export function readRulesInfo(r: WireReader): RulesInfo {
  const m: RulesInfo = {

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

export const RulesInfo: Codec<RulesInfo> = codec("thanos.info.RulesInfo", writeRulesInfo, readRulesInfo);

export type MetricMetadataInfo = {

};

export function writeMetricMetadataInfo(_m: Init<MetricMetadataInfo>, _w: WireWriter): void {

}

export function readMetricMetadataInfo(r: WireReader): MetricMetadataInfo {
  const m: MetricMetadataInfo = {

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

export const MetricMetadataInfo: Codec<MetricMetadataInfo> = codec("thanos.info.MetricMetadataInfo", writeMetricMetadataInfo, readMetricMetadataInfo);

export type TargetsInfo = {

};

export function writeTargetsInfo(_m: Init<TargetsInfo>, _w: WireWriter): void {

}

export function readTargetsInfo(r: WireReader): TargetsInfo {
  const m: TargetsInfo = {

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

export const TargetsInfo: Codec<TargetsInfo> = codec("thanos.info.TargetsInfo", writeTargetsInfo, readTargetsInfo);

export type QueryAPIInfo = {

};

export function writeQueryAPIInfo(_m: Init<QueryAPIInfo>, _w: WireWriter): void {

}

export function readQueryAPIInfo(r: WireReader): QueryAPIInfo {
  const m: QueryAPIInfo = {

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

export const QueryAPIInfo: Codec<QueryAPIInfo> = codec("thanos.info.QueryAPIInfo", writeQueryAPIInfo, readQueryAPIInfo);

export type StatusInfo = {

};

export function writeStatusInfo(_m: Init<StatusInfo>, _w: WireWriter): void {

}

export function readStatusInfo(r: WireReader): StatusInfo {
  const m: StatusInfo = {

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

export const StatusInfo: Codec<StatusInfo> = codec("thanos.info.StatusInfo", writeStatusInfo, readStatusInfo);

export type ExemplarsInfo = {
  minTime: number;
  maxTime: number;
};

export function writeExemplarsInfo(m: Init<ExemplarsInfo>, w: WireWriter): void {
  if (m.minTime) {
    w.uint32(8);
    w.int64(m.minTime);
  }
  if (m.maxTime) {
    w.uint32(16);
    w.int64(m.maxTime);
  }
}

export function readExemplarsInfo(r: WireReader): ExemplarsInfo {
  const m: ExemplarsInfo = {
    minTime: 0,
    maxTime: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.minTime = r.int64();
        break;
      case 16:
        m.maxTime = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ExemplarsInfo: Codec<ExemplarsInfo> = codec("thanos.info.ExemplarsInfo", writeExemplarsInfo, readExemplarsInfo);

export const InfoService = {
  Info: {
    path: "/thanos.info.Info/Info",
    requestStream: false,
    responseStream: false,
    request: InfoRequest,
    response: InfoResponse,
  } satisfies MethodDef<InfoRequest, InfoResponse>,
};
