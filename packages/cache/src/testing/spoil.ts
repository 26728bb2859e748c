import {connect} from "node:net";
import {Redis} from "ioredis";

/** Overwrites every value in the server with what `change` makes of it; how many there are. */
export async function spoilCache(
  kind: "redis-server" | "memcached",
  port: number,
  change: (value: Buffer) => Buffer,
): Promise<number> {
  return kind === "redis-server" ? spoilRedis(port, change) : spoilMemcached(port, change);
}

async function spoilRedis(port: number, change: (value: Buffer) => Buffer): Promise<number> {
  const redis = new Redis({port, host: "127.0.0.1"});
  const keys = await redis.keys("*");
  for (const key of keys) await redis.set(key, change((await redis.getBuffer(key)) as Buffer));
  redis.disconnect();
  return keys.length;
}

async function spoilMemcached(port: number, change: (value: Buffer) => Buffer): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  const ask = (line: string | Buffer, end: RegExp): Promise<Buffer> =>
    new Promise((done) => {
      let got = Buffer.alloc(0);
      const more = (chunk: Buffer) => {
        got = Buffer.concat([got, chunk]);
        if (!end.test(got.subarray(-200).toString("latin1"))) return;
        socket.off("data", more);
        done(got);
      };
      socket.on("data", more);
      socket.write(line);
    });
  const dump = (await ask("lru_crawler metadump all\r\n", /END\r\n$/)).toString();
  const keys = [...dump.matchAll(/^key=(\S+)/gm)].map((match) => decodeURIComponent(match[1] as string));
  for (const key of keys) {
    const answer = await ask(`get ${key}\r\n`, /END\r\n$/);
    const from = answer.indexOf("\r\n") + 2;
    const value = change(answer.subarray(from, answer.length - "\r\nEND\r\n".length));
    await ask(Buffer.concat([Buffer.from(`set ${key} 0 0 ${value.length}\r\n`), value, Buffer.from("\r\n")]), /\r\n$/);
  }
  socket.destroy();
  return keys.length;
}
