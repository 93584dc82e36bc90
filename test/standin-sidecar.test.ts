import { expect, test } from "vitest";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { arrived, connect, watching, type GameServer } from "./_official-sdk.ts";

test("shows RequestReady and then Ready, both after ready() has returned", async () => {
  await using sidecar = await startSidecar({ readyDelay: 30 });
  const { sdk, states } = await watching(sidecar);

  await sdk.ready();
  expect(sidecar.state()).toBe("RequestReady");
  await sidecar.waitFor((server) => server.state === "Ready", 2_000, "Ready");
  await arrived(() => states.includes("Ready"));
  expect(states).toEqual(["Scheduled", "RequestReady", "Ready"]);
});

test("sends the object as it is now before the first update", async () => {
  await using sidecar = await startSidecar({ state: "Ready", name: "arena-x", fleet: "duels" });
  const { seen } = await watching(sidecar);

  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({
    objectMeta: { name: "arena-x", labelsMap: [["agones.dev/fleet", "duels"]] },
    spec: { health: { disabled: false, periodSeconds: 5, failureThreshold: 3 } },
    status: { state: "Ready", address: "127.0.0.1", portsList: [{ name: "default", port: 7777 }] },
  });
});

test("allocates in one update: annotations, labels, last-allocated and the state", async () => {
  await using sidecar = await startSidecar({ state: "Ready" });
  const { seen } = await watching(sidecar);
  const before = Date.now();

  sidecar.allocate({ annotations: { traceparent: "00-a-b-01" }, labels: { mode: "ctf" } });
  await arrived(() => seen.length === 2);

  const { objectMeta, status } = seen[1] as GameServer;
  const annotations = new Map(objectMeta.annotationsMap);
  expect(status.state).toBe("Allocated");
  expect(annotations.get("traceparent")).toBe("00-a-b-01");
  expect(new Map(objectMeta.labelsMap).get("mode")).toBe("ctf");
  const allocated = annotations.get("agones.dev/last-allocated") ?? "";
  expect(allocated).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  expect(Math.abs(Date.parse(allocated) - before)).toBeLessThan(1_000);
});

test("keeps the old annotations when a server is allocated again", async () => {
  await using sidecar = await startSidecar({ state: "Ready" });
  const first = sidecar.allocate({ annotations: { traceparent: "one" } });
  sidecar.setState("Ready");
  const second = sidecar.allocate();

  expect(second.annotations["traceparent"]).toBe("one");
  expect(second.annotations["agones.dev/last-allocated"]).not.toBe(first.annotations["agones.dev/last-allocated"]);
});

test("counts the pings of the health stream and every other call", async () => {
  await using sidecar = await startSidecar();
  const sdk = connect(sidecar);
  for (let ping = 0; ping < 3; ping++) sdk.health();
  await sidecar.waitFor(() => sidecar.calls.health === 3, 2_000, "3 pings");
  await sdk.getGameServer();

  expect(sidecar.calls).toEqual({ health: 3, getGameServer: 1 });
});

test("stores labels and annotations of the SDK under its own prefix, and refuses bad ones", async () => {
  await using sidecar = await startSidecar();
  const sdk = connect(sidecar);
  await sdk.setLabel("mode", "ctf");
  await sdk.setAnnotation("traceparent", "00-a-b-01");

  expect(sidecar.gameServer().labels["agones.dev/sdk-mode"]).toBe("ctf");
  expect(sidecar.gameServer().annotations["agones.dev/sdk-traceparent"]).toBe("00-a-b-01");
  await expect(sdk.setLabel("mode", "not a label")).rejects.toThrow("INVALID_ARGUMENT");
  await expect(sdk.setAnnotation("no spaces", "")).rejects.toThrow("INVALID_ARGUMENT");
});

test("lets no SDK call lead out of Shutdown", async () => {
  await using sidecar = await startSidecar({ state: "Ready" });
  const sdk = connect(sidecar);
  await sdk.shutdown();
  await sdk.ready();
  await sdk.allocate();

  expect(sidecar.state()).toBe("Shutdown");
  expect(sidecar.calls).toEqual({ shutdown: 1, ready: 1, allocate: 1 });
});

test("lets the SDK lead out of Error, as the real one does", async () => {
  await using sidecar = await startSidecar({ state: "Error" });
  await connect(sidecar).ready();

  expect(sidecar.state()).toBe("RequestReady");
});

test("leads from Reserved back to Ready when the reservation is over", async () => {
  await using sidecar = await startSidecar({ state: "Ready", readyDelay: 1 });
  const { sdk, states } = await watching(sidecar);
  await sdk.reserve(1);
  await arrived(() => states.length === 4);

  expect(states).toEqual(["Ready", "Reserved", "RequestReady", "Ready"]);
});

test("ends a reservation early for whatever state the SDK asks for", async () => {
  await using sidecar = await startSidecar({ state: "Ready" });
  const sdk = connect(sidecar);
  await sdk.reserve(1);
  await sdk.allocate();

  await expect(sidecar.waitFor(({ state }) => state !== "Allocated", 1_500)).rejects.toThrow("gave up");
});

test("tells a watcher that it died, and what a failed wait was for", async () => {
  await using sidecar = await startSidecar();
  const { errors } = await watching(sidecar);
  const wait = sidecar.waitFor((server) => server.state === "Ready", 60_000, "the server to be Ready");
  await expect(sidecar.waitFor(() => false, 20, "a miracle")).rejects.toThrow(
    "gave up after 20 ms, while waiting for a miracle; seen: state Scheduled",
  );
  await sidecar.close();

  await expect(wait).rejects.toThrow("waiting for the server to be Ready");
  await arrived(() => errors.length > 0);
});

test("says which port it could not have", async () => {
  await using sidecar = await startSidecar();
  await expect(startSidecar({ port: sidecar.port })).rejects.toThrow(String(sidecar.port));
});
