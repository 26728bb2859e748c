// A door of its own: these routes bring PromQL, protobuf and block formats, which not every server needs.
export {addEndpointRoutes, addRulesRoutes} from "./endpoint-routes.ts";
export {addFederateRoute} from "./federate-route.ts";
export {addQueryRoutes} from "./query-routes.ts";
