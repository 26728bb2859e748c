export {type Reply, type Seen, type TestServer, testProxy, testServer} from "./test-server.ts";
