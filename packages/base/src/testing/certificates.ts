import {execFileSync} from "node:child_process";
import {mkdirSync, writeFileSync} from "node:fs";
import {join} from "node:path";

export type Certificates = {readonly ca: string; readonly cert: string; readonly key: string};

/**
 * A certificate authority and a certificate it signed for `name` and 127.0.0.1, as PEM files in `dir`; made by the
 * openssl command. The same `dir` and `name` again gives a new certificate of the same authority.
 */
export function makeCertificates(dir: string, name: string): Certificates {
  mkdirSync(dir, {recursive: true});
  const path = (file: string): string => join(dir, file);
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, {cwd: dir, stdio: ["ignore", "ignore", "pipe"]});
  };
  const ca = path("ca.pem");
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  try {
    openssl("x509", "-in", ca, "-noout");
  } catch {
    openssl(
      "req",
      "-x509",
      ...curve,
      "-keyout",
      path("ca.key"),
      "-out",
      ca,
      "-days",
      "2",
      "-subj",
      "/CN=test authority",
    );
  }
  const cert = path(`${name}.pem`);
  const key = path(`${name}.key`);
  writeFileSync(path("ext.cnf"), `subjectAltName=DNS:${name},IP:127.0.0.1\n`);
  openssl("req", ...curve, "-keyout", key, "-out", path("request.pem"), "-subj", `/CN=${name}`);
  openssl(
    "x509",
    "-req",
    "-in",
    path("request.pem"),
    "-CA",
    ca,
    "-CAkey",
    path("ca.key"),
    "-CAcreateserial",
    "-out",
    cert,
    "-days",
    "2",
    "-extfile",
    path("ext.cnf"),
  );
  return {ca, cert, key};
}
