import { expect, test } from "vitest";
import type { SidecarProcess } from "../standins/sidecar-process.ts";
import { startSidecarProcess } from "../standins/sidecar-process.ts";
import { arrived, connect, watching } from "./_official-sdk.ts";
import { call, watchHttp } from "./_sidecar-http.ts";

test("killed outright, it has the same GameServer on the same ports when it comes back", async () => {
  await using sidecar = await startSidecarProcess({ readyDelay: 10, name: "arena-x" });
  const { sdk, errors } = await watching(sidecar);
  await sdk.ready();
  await sdk.setAnnotation("note", "kept");
  await sidecar.waitFor((server) => server.state === "Ready", 5_000, "Ready");
  const { uid } = await sidecar.allocate({ annotations: { traceparent: "one" } });

  await sidecar.kill();
  await arrived(() => errors.length > 0);
  await expect(call(sidecar, "GET", "/gameserver")).rejects.toThrow("ECONNREFUSED");
  const before = sidecar.gameServer();
  await sidecar.start();

  using watch = await watchHttp(sidecar);
  await arrived(() => watch.chunks.length === 1);
  expect(watch.chunks[0]?.result).toMatchObject({
    object_meta: {
      name: "arena-x",
      uid,
      resource_version: String(before.resourceVersion),
      annotations: { "agones.dev/sdk-note": "kept", traceparent: "one" },
    },
    status: { state: "Allocated" },
  });
  expect(sidecar.gameServer()).toEqual(before);
});

test("is allocated while it is dead, and the next process shows it", async () => {
  await using sidecar = await startSidecarProcess({ state: "Ready" });
  await sidecar.kill();
  const seen = sidecar.waitFor((server) => server.state === "Allocated", 5_000, "Allocated");
  const allocated = await sidecar.allocate({ annotations: { traceparent: "two" } });
  await seen;
  await sidecar.start();

  const { body } = await call(sidecar, "GET", "/gameserver");
  expect(body).toMatchObject({ object_meta: { annotations: allocated.annotations }, status: { state: "Allocated" } });
  expect(sidecar.allocations).toEqual([allocated]);
});

test("makes each allocation once, whenever the process is killed", async () => {
  await using sidecar = await startSidecarProcess({ state: "Ready" });
  for (let round = 0; round < 5; round += 1) {
    const pending = [0, 1, 2].map((turn) => sidecar.allocate({ annotations: { [`round-${round}-${turn}`]: "" } }));
    if (round > 0) await pending[round % 3];
    await sidecar.kill();
    await Promise.all(pending);
    await sidecar.start();
  }

  const { annotations, resourceVersion } = sidecar.gameServer();
  expect(Object.keys(annotations)).toHaveLength(15 + 1);
  expect(resourceVersion).toBe(15 + 1);
  expect(sidecar.allocations).toHaveLength(15);
});

test("makes no change again that the dead process had made and could not tell", async () => {
  await using sidecar = await startSidecarProcess();
  await sidecar.setState("Ready");
  await sidecar.kill();

  expect((await sidecar.setState("Ready")).resourceVersion).toBe(2);
  expect((await sidecar.setState("Allocated")).resourceVersion).toBe(3);
});

test("turns Ready after its death what had asked for it before: that is the controller's part", async () => {
  await using sidecar = await startSidecarProcess({ readyDelay: 500 });
  await connect(sidecar).ready();
  await sidecar.waitFor((server) => server.state === "RequestReady");
  await sidecar.kill();
  await sidecar.start();

  await sidecar.waitFor((server) => server.state === "Ready", 5_000, "Ready");
});

test("keeps the tally of all its lives, to the last ping", async () => {
  await using sidecar = await startSidecarProcess();
  const before = Date.now();
  for (let life = 0; life < 2; life += 1) {
    for (let ping = 0; ping < 5; ping += 1) await call(sidecar, "POST", "/health", {});
    await sidecar.kill();
    expect(sidecar.pings).toHaveLength(5 * (life + 1));
    await sidecar.start();
  }

  expect(sidecar.callsOver).toEqual({ grpc: {}, http: { health: 10 } });
  expect(sidecar.pings).toEqual(sidecar.pings.toSorted((a, b) => a - b));
  expect(sidecar.pings.every((at) => at > before - 1_000 && at < Date.now() + 1_000)).toBe(true);
});

test("frozen, it accepts connections and answers nothing until it thaws", async () => {
  await using sidecar = await startSidecarProcess();
  await sidecar.freeze();
  let answered = false;
  const answer = call(sidecar, "POST", "/health", {}).then(() => (answered = true));
  await expect(sidecar.waitFor(() => sidecar.pings.length > 0, 300, "a ping")).rejects.toThrow("gave up");
  expect(answered).toBe(false);

  await sidecar.thaw();
  await answer;
  await sidecar.waitFor(() => sidecar.pings.length === 1, 5_000, "a ping");
});

test("says why it could not start", async () => {
  await using sidecar: SidecarProcess = await startSidecarProcess();
  await expect(startSidecarProcess({ port: sidecar.port })).rejects.toThrow(`cannot listen on ${sidecar.port}`);
});
