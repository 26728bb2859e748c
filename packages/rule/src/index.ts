export {alertsBody, checkQueryTemplate, type OutgoingAlert, outgoing} from "./alert-payload.ts";
export {AlertSender, type AlertSenderOptions} from "./alert-sender.ts";
export {type Clock, systemClock} from "./clock.ts";
export {DbStorage} from "./db-storage.ts";
export {GrpcQueriers} from "./grpc-queriers.ts";
export {Queriers, type QueriersOptions} from "./query-client.ts";
export {parseRemoteWriteConfig, type RemoteConfig} from "./remote-write/remote-config.ts";
export {RemoteStorage, type RemoteStorageOptions} from "./remote-write/remote-storage.ts";
export {type RuleMetrics, ruleMetrics} from "./rule-metrics.ts";
export {Ruler, type RulerOptions} from "./ruler.ts";
export {rulesBackend} from "./rules-api.ts";
export {
  type AlertmanagerGroup,
  alertmanagerOfUrl,
  parseAlertmanagersConfig,
  parseQueryConfig,
  type QueryConfig,
  queryGroupsOfFlags,
  type ServerGroup,
} from "./server-config.ts";
export {ServerSet} from "./server-set.ts";
