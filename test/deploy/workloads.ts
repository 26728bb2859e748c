import assert from "node:assert/strict";
import {objectProblems} from "./object-schema.ts";

type Mount = {readonly name: string; readonly mountPath: string; readonly readOnly?: boolean};
type Probe = {readonly httpGet?: {readonly path: string; readonly port: string}};
export type Container = {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly {readonly name: string}[];
  readonly ports?: readonly {readonly name: string; readonly containerPort: number}[];
  readonly volumeMounts?: readonly Mount[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly resources?: {readonly requests?: Record<string, string>; readonly limits?: Record<string, string>};
  readonly securityContext?: Record<string, unknown>;
};
type Volume = {
  readonly name: string;
  readonly secret?: {readonly secretName: string};
  readonly configMap?: {readonly name: string};
};
type Pod = {
  readonly metadata: {readonly labels: Record<string, string>};
  readonly spec: {
    readonly containers: readonly Container[];
    readonly volumes?: readonly Volume[];
    readonly securityContext?: Record<string, unknown>;
    readonly terminationGracePeriodSeconds?: number;
  };
};
export type KubernetesObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string>};
  readonly spec?: {
    readonly template?: Pod;
    readonly selector?: {readonly matchLabels?: Record<string, string>} & Record<string, unknown>;
    readonly podSelector?: {readonly matchLabels?: Record<string, string>};
    readonly serviceName?: string;
    readonly volumeClaimTemplates?: readonly {readonly metadata: {readonly name: string}}[];
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
};

/** Contents of the volume that a secret or config map is, by file name; undefined where it is made elsewhere. */
export type VolumeFiles = (source: string) => Readonly<Record<string, string>> | undefined;

export const nameOf = ({kind, metadata}: KubernetesObject): string => `${kind} ${metadata.name}`;

const isRunning = ({kind}: KubernetesObject): boolean => kind === "Deployment" || kind === "StatefulSet";

/** Objects that run pods. */
export const workloadsOf = (objects: readonly KubernetesObject[]): KubernetesObject[] => objects.filter(isRunning);

/** Fails where an object is not one that Kubernetes knows, or names what is not among the others. */
export function assertSound(objects: readonly KubernetesObject[]): void {
  for (const object of objects) assert.deepEqual(objectProblems(object), [], nameOf(object));
  const names = objects.map((object) => `${nameOf(object)} ${object.metadata.namespace ?? ""}`);
  assert.equal(new Set(names).size, names.length, `twice the same among ${names.join(", ")}`);
  const pods = workloadsOf(objects).map(({spec}) => spec?.template?.metadata.labels ?? {});
  for (const object of objects) {
    const {kind, spec} = object;
    const wanted =
      kind === "Service" ? spec?.selector : (spec?.selector?.matchLabels ?? spec?.podSelector?.matchLabels);
    const chooses = ["Service", "PodDisruptionBudget", "Deployment", "StatefulSet"].includes(kind);
    if (!chooses || wanted === undefined) continue;
    const found = pods.some((labels) => Object.entries(wanted).every(([key, value]) => labels[key] === value));
    assert.ok(found, `${nameOf(object)} chooses no pod`);
    if (kind !== "StatefulSet") continue;
    const services = objects.filter((other) => other.kind === "Service").map(({metadata}) => metadata.name);
    assert.ok(services.includes(spec?.serviceName ?? ""), `${nameOf(object)}: no service ${spec?.serviceName}`);
  }
}

/** Fails where a workload of Strata may do more than it needs to, or cannot be looked after. */
export function assertHardened(object: KubernetesObject): void {
  const pod = object.spec?.template?.spec;
  const name = nameOf(object);
  assert.equal(pod?.securityContext?.runAsNonRoot, true, name);
  assert.deepEqual(pod?.securityContext?.seccompProfile, {type: "RuntimeDefault"}, name);
  const claims = object.spec?.volumeClaimTemplates ?? [];
  const volumes = new Set([...(pod?.volumes ?? []).map((v) => v.name), ...claims.map(({metadata}) => metadata.name)]);
  for (const container of pod?.containers ?? []) {
    assert.equal(container.securityContext?.readOnlyRootFilesystem, true, name);
    assert.equal(container.securityContext?.allowPrivilegeEscalation, false, name);
    assert.deepEqual(container.securityContext?.capabilities, {drop: ["ALL"]}, name);
    assert.ok(container.resources?.requests?.memory && container.resources.limits?.memory, `${name}: memory`);
    for (const mount of container.volumeMounts ?? [])
      assert.ok(volumes.has(mount.name), `${name}: volume ${mount.name}`);
  }
}

/** Fails where probes, ports and the time to end do not fit what a component of Strata does. */
export function assertProbed(object: KubernetesObject): void {
  const pod = object.spec?.template?.spec;
  // Requests may take two minutes to end.
  assert.ok((pod?.terminationGracePeriodSeconds ?? 0) > 120, nameOf(object));
  const [container] = pod?.containers ?? [];
  assert.deepEqual(container?.livenessProbe?.httpGet, {path: "/-/healthy", port: "http"});
  assert.deepEqual(container?.readinessProbe?.httpGet, {path: "/-/ready", port: "http"});
  const ports = new Map(container?.ports?.map((port) => [port.name, port.containerPort]));
  const flags = {grpc: "grpc-address", http: "http-address", "remote-write": "remote-write.address"};
  for (const [port, flag] of Object.entries(flags)) {
    const given = container?.args?.find((arg) => arg.startsWith(`--${flag}=`))?.replace(/^.*:/, "");
    assert.equal(given, ports.get(port)?.toString(), `${nameOf(object)}: ${port}`);
  }
}

/** The command line of a workload's first container, with its variables put in, and the files that it finds. */
export function commandOf(object: KubernetesObject, contents: VolumeFiles) {
  const {containers, volumes = []} = object.spec?.template?.spec ?? {containers: []};
  const container = containers[0] as Container;
  const known = new Set(container.env?.map(({name}) => name));
  const args = (container.args ?? []).map((arg) =>
    arg.replace(/\$\((\w+)\)/g, (_, name: string) => {
      assert.ok(known.has(name), `${nameOf(object)}: no variable ${name}`);
      return name.toLowerCase().replaceAll("_", "-");
    }),
  );
  const files = (path: string): string[] => {
    const mount = container.volumeMounts?.find(({mountPath}) => path.startsWith(`${mountPath}/`));
    const volume = volumes.find(({name}) => name === mount?.name);
    const source = volume?.secret?.secretName ?? volume?.configMap?.name;
    const texts = source === undefined ? undefined : contents(source);
    const pattern = path.slice((mount?.mountPath.length ?? 0) + 1);
    const matches = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
    return Object.entries(texts ?? {}).flatMap(([name, text]) => (matches.test(name) ? [text] : []));
  };
  return {args, files};
}
