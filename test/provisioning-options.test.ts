import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { agones, allocate } from "colyseus-otel/backend";
import { expect, test } from "vitest";
import { failureOf } from "./_provisioning.ts";
import { recordTelemetry } from "./_telemetry.ts";

const endpoint = "127.0.0.1:1";

test.each<[Record<string, unknown>, string]>([
  [{ endpoint: "https://allocator" }, 'agones.endpoint must be host:port, got "https://allocator"'],
  [{ endpoint: 443 }, "agones.endpoint must be a string that is not empty, got 443"],
  [{ namespace: "" }, 'agones.namespace must be a string that is not empty, got ""'],
  [{ fleet: 1 }, "agones.fleet must be a string that is not empty, got 1"],
  [{ fleet: "arena", selectors: [] }, 'agones.selectors must not stand beside agones.fleet, got "arena"'],
  [{ selectors: {} }, "agones.selectors must be an array of objects, got {}"],
  [{ selectors: [{ state: "Idle" }] }, 'agones.selectors[0].state must be "Ready" or "Allocated", got "Idle"'],
  [{ selectors: [{ matchLabels: { mode: 1 } }] }, 'agones.selectors[0].matchLabels["mode"] must be a string, got 1'],
  [{ selectors: [{ labels: {} }] }, 'agones.selectors[0]: unknown option "labels" ({}); known are matchLabels, state'],
  [{ tls: { ca: 1 } }, "agones.tls.ca must be a string that is not empty, got 1"],
  [{ tls: { cert: "PEM" } }, "agones.tls.key must be given with agones.tls.cert, got undefined"],
  [{ tls: { serverName: 1 } }, "agones.tls.serverName must be a string that is not empty, got 1"],
  [{ tracerProvider: {} }, "agones.tracerProvider must be an object with getTracer(), got {}"],
  [
    { port: 443 },
    'agones: unknown option "port" (443); known are endpoint, tls, kubernetes, namespace, fleet, selectors, tracerProvider, meterProvider',
  ],
])("agones() names the wrong option and its value: %j", (options, message) => {
  expect(() => agones({ endpoint, ...options })).toThrow(new TypeError(message));
});

const kubeConfig = { getCurrentCluster: () => null, applyToHTTPSOptions: () => {} };

test.each<[Record<string, unknown>, string]>([
  [{}, "agones.endpoint or agones.kubernetes must be given, got neither"],
  [{ kubernetes: true, endpoint }, 'agones.endpoint must not stand beside agones.kubernetes, got "127.0.0.1:1"'],
  [{ kubernetes: kubeConfig, endpoint }, 'agones.endpoint must not stand beside agones.kubernetes, got "127.0.0.1:1"'],
  [
    { kubernetes: true, tls: { cert: "PEM", key: "PRIVATE" } },
    'agones.tls must not stand beside agones.kubernetes, got ["cert","key"]',
  ],
  [{ kubernetes: false }, "agones.kubernetes must be true or a KubeConfig, got false"],
  [{ kubernetes: null }, "agones.kubernetes must be true or a KubeConfig, got null"],
  [{ kubernetes: "~/.kube/config" }, 'agones.kubernetes must be true or a KubeConfig, got "~/.kube/config"'],
  [{ kubernetes: { token: "PRIVATE" } }, 'agones.kubernetes must be true or a KubeConfig, got ["token"]'],
])("agones() takes one of two ways, and shows no keys in its errors: %#", (options, message) => {
  expect(() => agones(options)).toThrow(new TypeError(message));
});

test.each<[Record<string, unknown>, string]>([
  [{ provider: {} }, "allocate.provider must be what agones() or gamelift() of colyseus-otel/backend returned, got {}"],
  [{ region: 1 }, "allocate.region must be a string that is not empty, got 1"],
  [{ mode: "" }, 'allocate.mode must be a string that is not empty, got ""'],
  [{ players: 0 }, "allocate.players must be a whole number from 1, got 0"],
  [{ players: "8" }, 'allocate.players must be a whole number from 1, got "8"'],
  [{ players: ["00-"] }, 'allocate.players[0] must be an object, got "00-"'],
  [{ players: {} }, "allocate.players must be a whole number from 1, got {}"],
  [{ players: null }, "allocate.players must be a whole number from 1, got null"],
  [{ links: [1] }, "allocate.links[0] must be an object, got 1"],
  [{ deadline: 0 }, "allocate.deadline must be a positive number of milliseconds, got 0"],
  [{ deadline: 2 ** 31 }, "allocate.deadline must be at most 2147483647 milliseconds (24 days), got 2147483648"],
  [{ signal: true }, "allocate.signal must be an object with addEventListener(), removeEventListener(), got true"],
  [{ labels: [] }, "allocate.labels must be an object with strings, got []"],
  [{ annotations: { match: 1 } }, 'allocate.annotations["match"] must be a string, got 1'],
  [
    { timeout: 1 },
    'allocate: unknown option "timeout" (1); known are provider, region, mode, players, deadline, signal, labels, annotations, links',
  ],
])("allocate() names the wrong option and its value, and asks nobody: %j", async (options, message) => {
  const recorded = recordTelemetry();
  await using provider = agones({ endpoint, tracerProvider: recorded.tracerProvider });
  await expect(allocate({ provider, ...options })).rejects.toThrow(new TypeError(message));
  expect(recorded.spans()).toEqual([]);
});

test.each(["@grpc/grpc-js", "@grpc/proto-loader"])("without %s the error names what to install", async (missing) => {
  const code = `
    import { registerHooks } from "node:module";
    registerHooks({
      resolve: (name, context, next) => next(name === "${missing}" ? "not-installed" : name, context),
    });
    const { agones, allocate } = await import("${new URL("../src/backend.ts", import.meta.url).href}");
    await allocate({ provider: agones({ endpoint: "${endpoint}" }) }).catch((error) => {
      console.log(error.outcome, error.attempts, error.message, error.cause.cause.code);
    });
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code]);
  expect(stdout).toContain("allocation_failed 1 no server after one call");
  expect(stdout).toContain("needs two packages: npm install @grpc/grpc-js @grpc/proto-loader ERR_MODULE_NOT_FOUND");
});

test("certificates that are none are said to be so", async () => {
  await using provider = agones({ endpoint, tls: { ca: "PEM", cert: "PEM", key: "PEM" } });
  const failure = await failureOf(allocate({ provider }));
  expect(failure).toMatchObject({ outcome: "allocation_failed", attempts: 1 });
  expect(failure.message).toMatch(/PEM|certificate|no start line/i);
});

test("selectors of a game that throw fail its allocation, and nothing else", async () => {
  await using provider = agones({
    endpoint,
    selectors: () => {
      throw new Error("no such mode");
    },
  });
  const failure = await failureOf(allocate({ provider }));
  expect(failure).toMatchObject({ outcome: "allocation_failed", cause: { message: "no such mode" } });
});
