import { connect } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { arrived, connect as connectSdk } from "./_official-sdk.ts";
import { call, watchHttp } from "./_sidecar-http.ts";

test("answers GET /gameserver with the names of the proto file, int64 as strings and fields without a value", async () => {
  await using sidecar = await startSidecar({ health: { disabled: true, periodSeconds: 2 } });
  const { status, body } = await call(sidecar, "GET", "/gameserver");

  expect(status).toBe(200);
  const { uid, createdAt } = sidecar.gameServer();
  expect(body).toEqual({
    object_meta: {
      name: "arena-7xk2p",
      namespace: "default",
      uid,
      resource_version: "1",
      generation: "1",
      creation_timestamp: String(Math.floor(createdAt / 1000)),
      deletion_timestamp: "0",
      annotations: {},
      labels: { "agones.dev/fleet": "arena" },
    },
    spec: { health: { disabled: true, period_seconds: 2, failure_threshold: 3, initial_delay_seconds: 5 } },
    status: {
      state: "Scheduled",
      address: "127.0.0.1",
      addresses: [],
      ports: [{ name: "default", port: 7777 }],
      players: null,
      counters: {},
      lists: {},
    },
  });
});

test("changes the state by POST, and both transports see it", async () => {
  await using sidecar = await startSidecar({ readyDelay: 1 });
  using watch = await watchHttp(sidecar);
  expect(await call(sidecar, "POST", "/ready", {})).toEqual({ status: 200, body: {} });
  await sidecar.waitFor((server) => server.state === "Ready");
  await call(sidecar, "POST", "/reserve", { seconds: "0" });
  await call(sidecar, "POST", "/allocate", {});
  await connectSdk(sidecar).setAnnotation("note", "by gRPC");
  await call(sidecar, "POST", "/shutdown");

  await arrived(() => watch.chunks.length === 7);
  const states = watch.chunks.map((chunk) => chunk.result?.status.state);
  expect(states).toEqual(["Scheduled", "RequestReady", "Ready", "Reserved", "Allocated", "Allocated", "Shutdown"]);
  expect(sidecar.callsOver).toEqual({
    grpc: { setAnnotation: 1 },
    http: { watchGameServer: 1, ready: 1, reserve: 1, allocate: 1, shutdown: 1 },
  });
  expect(sidecar.calls).toEqual({ ...sidecar.callsOver.grpc, ...sidecar.callsOver.http });
});

test("ends a reservation after its seconds, an int64 that may be a string", async () => {
  await using sidecar = await startSidecar({ state: "Ready", readyDelay: 1 });
  await call(sidecar, "POST", "/reserve", { seconds: "1" });
  expect(sidecar.state()).toBe("Reserved");
  await sidecar.waitFor((server) => server.state === "Ready", 5_000, "the end of the reservation");
});

test("counts a ping for each POST /health with a body, and refuses one without", async () => {
  await using sidecar = await startSidecar();
  const before = Date.now();
  expect(await call(sidecar, "POST", "/health", {})).toEqual({ status: 200, body: {} });
  expect(await call(sidecar, "POST", "/health", "")).toEqual({ status: 400, body: undefined });

  expect(sidecar.calls).toEqual({ health: 1 });
  expect(sidecar.pings).toHaveLength(1);
  expect(Math.abs((sidecar.pings[0] ?? 0) - before)).toBeLessThan(2_000);
});

test("stores labels and annotations by PUT, and refuses bad ones as gRPC does", async () => {
  await using sidecar = await startSidecar();
  await call(sidecar, "PUT", "/metadata/label", { key: "mode", value: "ctf" });
  await call(sidecar, "PUT", "/metadata/annotation", { key: "traceparent", value: "00-a-b-01" });
  const bad = await call(sidecar, "PUT", "/metadata/label", { key: "mode", value: "not a label" });

  expect(sidecar.gameServer().labels["agones.dev/sdk-mode"]).toBe("ctf");
  expect(sidecar.gameServer().annotations).toEqual({ "agones.dev/sdk-traceparent": "00-a-b-01" });
  expect(bad).toEqual({
    status: 400,
    body: { code: 3, message: 'invalid label value "not a label" for key "mode"', details: [] },
  });
});

test.each([
  ["GET", "/nowhere", undefined, 404, 5],
  ["GET", "/ready", undefined, 501, 12],
  ["POST", "/ready", "{", 400, 3],
  ["POST", "/ready", "null", 400, 3],
  ["POST", "/ready", "[]", 400, 3],
  ["POST", "/reserve", { seconds: "soon" }, 400, 3],
  ["PUT", "/metadata/label", { key: 1 }, 400, 3],
])("refuses %s %s with the body %j: %i, code %i", async (verb, path, body, status, code) => {
  await using sidecar = await startSidecar();
  const answer = await call(sidecar, verb, path, body);

  expect(answer).toMatchObject({ status, body: { code, details: [] } });
  expect(sidecar.calls).toEqual({});
});

test("takes each body either for a request or for a bad one, and lives on", async () => {
  await using sidecar = await startSidecar();
  const request = fc.record(
    {
      key: fc.oneof(fc.string(), fc.jsonValue()),
      value: fc.string(),
      seconds: fc.oneof(fc.bigInt().map(String), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  const bodies = fc.oneof(
    fc.string(),
    fc.json(),
    request.map((fields) => JSON.stringify(fields)),
  );
  const target = fc.constantFrom(["POST", "/reserve"] as const, ["PUT", "/metadata/annotation"] as const);
  await fc.assert(
    fc.asyncProperty(target, bodies, async ([verb, path], body) => {
      const { status } = await call(sidecar, verb, path, body);
      expect([200, 400]).toContain(status);
    }),
  );
  expect((await call(sidecar, "GET", "/gameserver")).status).toBe(200);
});

test("keeps a reservation of a few hundred million years", async () => {
  await using sidecar = await startSidecar();
  await call(sidecar, "POST", "/reserve", { seconds: String(Number.MAX_SAFE_INTEGER) });

  await expect(sidecar.waitFor(({ state }) => state !== "Reserved", 200)).rejects.toThrow("gave up");
});

test("survives a client that goes away inside its body", async () => {
  await using sidecar = await startSidecar();
  const socket = connect(sidecar.httpPort, "127.0.0.1");
  socket.write("POST /health HTTP/1.1\r\nhost: sidecar\r\ncontent-length: 2\r\n\r\n{");
  await call(sidecar, "GET", "/gameserver");
  socket.destroy();

  expect((await call(sidecar, "POST", "/health", {})).status).toBe(200);
  expect(sidecar.calls).toEqual({ getGameServer: 1, health: 1 });
});

test("says which HTTP port it could not have, and gives the other back", async () => {
  await using sidecar = await startSidecar();
  const former = await startSidecar();
  await former.close();
  const { httpPort } = sidecar;
  await expect(startSidecar({ port: former.port, httpPort })).rejects.toThrow(String(httpPort));

  await using next = await startSidecar({ port: former.port });
  expect(next.port).toBe(former.port);
});
