import {once} from "node:events";
import {type AddressInfo, connect, createServer, type Socket} from "node:net";
import type {TestScope} from "@strata/base/testing";

/** A way to another port that can be shut: what comes then waits, as when packets are lost. */
export type TcpGate = {
  readonly address: string;
  shut(): void;
  open(): void;
};

/** Forwards connections to `port` of this machine, now or later. */
export async function tcpGate(t: TestScope, port: () => number): Promise<TcpGate> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isShut = false;
  const server = createServer((near) => {
    const far = connect(port(), "127.0.0.1");
    const pair = [near, far] as const;
    pairs.add(pair);
    const end = (): void => {
      near.destroy();
      far.destroy();
      pairs.delete(pair);
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    near.pipe(far);
    far.pipe(near);
    if (isShut) for (const socket of pair) socket.pause();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    server.close();
  });
  const each = (use: (socket: Socket) => void): void => {
    for (const pair of pairs) for (const socket of pair) use(socket);
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    shut() {
      isShut = true;
      each((socket) => socket.pause());
    },
    open() {
      isShut = false;
      each((socket) => socket.resume());
    },
  };
}
