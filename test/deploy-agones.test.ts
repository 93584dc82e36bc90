import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadAllYaml } from "@kubernetes/client-node";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { resolveOptions } from "../src/options.ts";
import { optionsFromEnvironment } from "../src/register/environment.ts";
import { readText, readYaml } from "./_deploy.ts";

interface Labels {
  readonly matchLabels: Readonly<Record<string, string>>;
}

interface Port {
  readonly name: string;
  readonly containerPort: number;
}

interface Variable {
  readonly name: string;
  readonly value?: string;
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
}

interface Fleet extends Manifest {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly ports: readonly Port[];
        readonly health: { readonly periodSeconds: number };
        readonly template: {
          readonly metadata: { readonly labels: Readonly<Record<string, string>> };
          readonly spec: { readonly containers: readonly [Container] };
        };
      };
    };
  };
}

interface Container {
  readonly command: readonly string[];
  readonly ports: readonly Port[];
  readonly env: readonly Variable[];
}

interface PodMonitor extends Manifest {
  readonly spec: {
    readonly selector: Labels;
    readonly jobLabel: string;
    readonly podMetricsEndpoints: readonly { readonly port: string; readonly path: string }[];
  };
}

interface NetworkPolicy extends Manifest {
  readonly spec: {
    readonly podSelector: Labels;
    readonly ingress: readonly {
      /** `from`, as the client of Kubernetes names it. */
      readonly _from?: readonly { readonly namespaceSelector: Labels }[];
      readonly ports: readonly { readonly port: number }[];
    }[];
  };
}

const [fleet] = readYaml<Fleet>("deploy/agones/fleet.yaml") as [Fleet];
const [monitor, policy] = readYaml("deploy/agones/monitoring.yaml") as [PodMonitor, NetworkPolicy];
const pod = fleet.spec.template.spec.template;
const [container] = pod.spec.containers;
const [game] = fleet.spec.template.spec.ports as [Port];
/** As the container has it: Agones adds its ports, Kubernetes the secret. */
const env = {
  ...Object.fromEntries(container.env.map(({ name, value = "a secret of more than 16 bytes" }) => [name, value])),
  AGONES_SDK_GRPC_PORT: "9357",
};

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

afterEach(() => vi.restoreAllMocks());

test("the Fleet's environment is known to the preload, which opens the admin port to the pod's network", () => {
  const orchestrator = { name: "agones" } as never;
  const options = optionsFromEnvironment(env, {
    appUsesAgones: false,
    agones: () => orchestrator,
    gamelift: () => orchestrator,
  });
  expect(console.warn).not.toHaveBeenCalled();
  expect(container.command).toContain("colyseus-otel/register");
  expect(options.orchestrator).toBe(orchestrator);
  const { endpoints, trust } = resolveOptions({ ...options, orchestrator: undefined as never });
  const admin = container.ports.find(({ name }) => name === "admin");
  expect(endpoints).toEqual({ host: "0.0.0.0", port: admin?.containerPort });
  expect(trust).toMatchObject({ audience: "arena" });
  expect(String(game.containerPort)).toBe(env["PORT" as keyof typeof env]);
});

test("the PodMonitor finds the Fleet's pods, and in them the admin port", () => {
  expect(pod.metadata.labels).toMatchObject(monitor.spec.selector.matchLabels);
  expect(pod.metadata.labels).toHaveProperty(monitor.spec.jobLabel);
  const names = container.ports.map(({ name }) => name);
  expect(monitor.spec.podMetricsEndpoints).toEqual([expect.objectContaining({ port: names[0], path: "/metrics" })]);
});

test("the NetworkPolicy leaves the players' port open, and the admin port to one namespace", () => {
  expect(pod.metadata.labels).toMatchObject(policy.spec.podSelector.matchLabels);
  const open = policy.spec.ingress.filter(({ _from }) => _from === undefined).flatMap(({ ports }) => ports);
  expect(open.map(({ port }) => port)).toEqual([game.containerPort]);
  const [guarded, ...others] = policy.spec.ingress.filter(({ _from }) => _from !== undefined);
  expect(others).toEqual([]);
  expect(guarded?.ports.map(({ port }) => port)).toEqual(container.ports.map(({ containerPort }) => containerPort));
  expect(guarded?._from).toEqual([
    { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } },
  ]);
});

test("autoscaler and manifests mean the same Fleet and namespace", () => {
  const [autoscaler] = readYaml<Manifest & { spec: { fleetName: string } }>("deploy/agones/autoscaler.yaml");
  expect(autoscaler?.spec.fleetName).toBe(fleet.metadata.name);
  const files = readdirSync(join(import.meta.dirname, "../deploy/agones"));
  const namespaces = files.flatMap((file) =>
    readYaml<Manifest>(`deploy/agones/${file}`).map(({ metadata }) => metadata.namespace),
  );
  expect(new Set(namespaces)).toEqual(new Set(["default"]));
});

test("health pings leave at least twice in a period of the Fleet's", () => {
  // By default every 2 s; docs/agones.md.
  expect(fleet.spec.template.spec.health.periodSeconds).toBeGreaterThanOrEqual(4);
});

test("the matchmaker's role is the one of docs/matchmaker.md", () => {
  type Role = Manifest & { readonly rules?: unknown; readonly roleRef?: unknown; readonly subjects?: unknown };
  const [, documented] = /```yaml\n(.*?)```/s.exec(readText("docs/matchmaker.md"))!;
  const inDocs = loadAllYaml(documented!) as Role[];
  const inKit = readYaml<Role>("deploy/agones/matchmaker-role.yaml");
  expect(inKit.map(({ kind }) => kind)).toEqual(["ServiceAccount", "Role", "RoleBinding"]);
  expect(inKit.slice(1)).toEqual(inDocs);
});

test("the variables of the GameLift notes are those that the code reads", () => {
  const folder = join(import.meta.dirname, "../src/orchestrators/gamelift");
  const code = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("\n");
  const notes = readText("deploy/gamelift/README.md");
  const named = Array.from(notes.matchAll(/`((?:GAMELIFT|AWS|ECS)_[A-Z0-9_]+)`/g), ([, name]) => name!);
  expect(named.length).toBeGreaterThan(4);
  expect(named.filter((name) => !code.includes(`"${name}"`))).toEqual([]);
});
