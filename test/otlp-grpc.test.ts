import { trace } from "@opentelemetry/api";
import { emptyResource } from "@opentelemetry/resources";
import { Metadata, status } from "@grpc/grpc-js";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { encodeResource, encodeTraceRequest } from "../src/sdk/otlp/request.ts";
import { createAuthority } from "./_certificates.ts";
import { startOtlpServer } from "./_otlp-server.ts";
import { until } from "./_server.ts";

const REQUEST = encodeTraceRequest(encodeResource(emptyResource()), []);

let warned: () => string[];

beforeEach(() => {
  // A warning is said once a minute: each test has a minute of its own.
  vi.resetModules();
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  warned = () => warn.mock.calls.map(([line]) => String(line));
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

async function openTo(endpoint: string) {
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
  const { openOtlpGrpc } = await import("../src/sdk/otlp-grpc.ts");
  const opened = await openOtlpGrpc(process.env);
  onTestFinished(() => opened.close());
  return opened;
}

async function startFresh() {
  const { startTelemetry } = await import("colyseus-otel/sdk");
  const { announcedTelemetry } = await import("../src/telling/announcement.ts");
  const telemetry = startTelemetry({ load: "now" });
  onTestFinished(() => telemetry.shutdown());
  await announcedTelemetry()!.load(true);
  return { telemetry, announced: announcedTelemetry()! };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "certificates-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test("the headers of OTEL_EXPORTER_OTLP_HEADERS reach the collector", async () => {
  vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=arena,authorization=Bearer%20abc");
  const collector = await startOtlpServer();
  const { send } = await openTo(`http://127.0.0.1:${collector.port}`);
  expect(await send(REQUEST, 0)).toBeUndefined();
  const { metadata } = collector.requests[0]!;
  expect([metadata.get("x-tenant"), metadata.get("authorization")]).toEqual([["arena"], ["Bearer abc"]]);
});

/** A way to the collector that sees what passes. */
async function startTap(port: number) {
  const tap = { bytes: 0, open: 0, endpoint: "" };
  const server = createServer((socket) => {
    tap.open += 1;
    const onward = connect(port, "127.0.0.1");
    socket.on("data", (data: Buffer) => (tap.bytes += data.length)).on("close", () => (tap.open -= 1));
    socket.pipe(onward).pipe(socket);
    socket.on("error", () => {});
    onward.on("error", () => {});
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  tap.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return tap;
}

test.each([
  ["none", 1_000_000, 2_000_000],
  ["gzip", 1, 50_000],
])("OTEL_EXPORTER_OTLP_COMPRESSION=%s: a megabyte of x takes %i to %i bytes", async (compression, least, most) => {
  vi.stubEnv("OTEL_EXPORTER_OTLP_COMPRESSION", compression);
  const collector = await startOtlpServer();
  const tap = await startTap(collector.port);
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", tap.endpoint);
  const { announced } = await startFresh();
  trace
    .getTracer("game")
    .startSpan("large", { attributes: { text: "x".repeat(1_000_000) } })
    .end();
  await announced.flush(5000);
  expect(collector.spans().map(({ name }) => name)).toEqual(["large"]);
  expect(tap.bytes).toBeGreaterThanOrEqual(least);
  expect(tap.bytes).toBeLessThanOrEqual(most);
});

test("shutdown() closes the connection to the collector", async () => {
  const collector = await startOtlpServer();
  const tap = await startTap(collector.port);
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", tap.endpoint);
  const { telemetry } = await startFresh();
  trace.getTracer("game").startSpan("one").end();
  await telemetry.flush();
  expect(tap.open).toBe(1);
  await telemetry.shutdown();
  await until("the end of the connection", () => tap.open === 0);
});

test("over TLS, with the authority of OTEL_EXPORTER_OTLP_CERTIFICATE", async () => {
  const authority = createAuthority("collectors");
  const collector = await startOtlpServer(undefined, authority.issue("collector"));
  const file = join(folder(), "authority.pem");
  writeFileSync(file, authority.cert);
  vi.stubEnv("OTEL_EXPORTER_OTLP_CERTIFICATE", file);
  const { send } = await openTo(`https://127.0.0.1:${collector.port}`);
  expect(await send(REQUEST, 0)).toBeUndefined();
  expect(collector.requests).toHaveLength(1);
  expect(warned()).toEqual([]);
});

const RETRIED = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

test("spans are kept after the codes of the OTLP specification, and lost after all others", async () => {
  let code: status = status.OK;
  const collector = await startOtlpServer(() => ({ error: { code, details: "as told" } }));
  const { send } = await openTo(`http://127.0.0.1:${collector.port}`);
  const kept: string[] = [];
  for (code = status.CANCELLED; code <= status.UNAUTHENTICATED; code += 1) {
    const failure = await send(REQUEST, 1);
    expect(failure?.reason).toContain(`${status[code]}: as told`);
    if (failure?.again) {
      kept.push(status[code]);
    }
  }
  expect(kept).toEqual([...RETRIED].toSorted((a, b) => a - b).map((one) => status[one]));
});

test.each([
  ["with RetryInfo: kept", true],
  ["without details: lost, for it will always be too large", false],
])("a collector that is exhausted, %s", async (_what, again) => {
  const metadata = new Metadata();
  if (again) {
    metadata.set("grpc-status-details-bin", Buffer.from([0x08, 0x08]));
  }
  const collector = await startOtlpServer(() => ({ error: { code: status.RESOURCE_EXHAUSTED, metadata } }));
  const { send } = await openTo(`http://127.0.0.1:${collector.port}`);
  expect(await send(REQUEST, 7)).toMatchObject({ again });
  expect(warned().join()).toContain(again ? "are kept and sent again" : "are lost");
});

test("a request over the 4 MiB that a gRPC server takes is given up, and the next one arrives", async () => {
  const collector = await startOtlpServer();
  const { send } = await openTo(`http://127.0.0.1:${collector.port}`);
  expect(await send(new Uint8Array(5 << 20), 7)).toMatchObject({ again: false });
  expect(await send(REQUEST, 1)).toBeUndefined();
});

test("a collector that takes a request and never answers costs OTEL_EXPORTER_OTLP_TIMEOUT, and the spans are kept", async () => {
  vi.stubEnv("OTEL_EXPORTER_OTLP_TIMEOUT", "100");
  const collector = await startOtlpServer(() => undefined);
  const { send } = await openTo(`http://127.0.0.1:${collector.port}`);
  expect(await send(REQUEST, 1)).toMatchObject({ again: true, reason: expect.stringContaining("DEADLINE_EXCEEDED") });
});

test("a collector that is not there keeps the spans, and says where it should be and by which variable", async () => {
  const { send } = await openTo("http://127.0.0.1:1");
  expect(await send(REQUEST, 3)).toMatchObject({ again: true, reason: expect.stringContaining("UNAVAILABLE") });
  expect(await send(REQUEST, 3)).toMatchObject({ again: true });
  expect(warned()).toEqual([
    expect.stringMatching(
      /^colyseus-otel: 3 spans could not be sent to http:\/\/127\.0\.0\.1:1 \(OTEL_EXPORTER_OTLP_ENDPOINT\) and are kept and sent again: /,
    ),
  ]);
});

test("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is where spans go, and the one that is named", async () => {
  vi.stubEnv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:2");
  const { send } = await openTo("http://127.0.0.1:1");
  await send(REQUEST, 3);
  expect(warned().join()).toContain("http://127.0.0.1:2");
});

test("what a collector has taken only in part is told in one warning, and not sent again", async () => {
  const collector = await startOtlpServer(() => ({
    response: { partialSuccess: { rejectedSpans: 3, errorMessage: "too old" } },
  }));
  const { send } = await openTo(`http://127.0.0.1:${collector.port}`);
  expect([await send(REQUEST, 10), await send(REQUEST, 10)]).toEqual([undefined, undefined]);
  expect(warned()).toEqual([
    `colyseus-otel: the collector at http://127.0.0.1:${collector.port} has rejected 3 spans: too old`,
  ]);
});

test.each([
  ["only something to say", { errorMessage: "use v2" }, "has rejected 0 spans: use v2"],
  ["only a number", { rejectedSpans: 3 }, "has rejected 3 spans: "],
])("a collector that has %s is heard", async (_what, partialSuccess, said) => {
  const collector = await startOtlpServer(() => ({ response: { partialSuccess } }));
  const { send } = await openTo(`http://127.0.0.1:${collector.port}`);
  expect(await send(REQUEST, 10)).toBeUndefined();
  expect(warned()).toEqual([expect.stringContaining(said)]);
});

test("a collector that has taken everything is not heard of", async () => {
  const collector = await startOtlpServer(() => ({ response: { partialSuccess: {} } }));
  const { send } = await openTo(`http://127.0.0.1:${collector.port}`);
  expect(await send(REQUEST, 10)).toBeUndefined();
  expect(warned()).toEqual([]);
});

test("an endpoint that is none costs the spans and one warning, which names it and its variable, and no metric", async () => {
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:no-port");
  const { announced } = await startFresh();
  trace.getTracer("game").startSpan("lost").end();
  await announced.flush(60_000);
  expect(warned()).toEqual([
    expect.stringContaining(
      "1 spans could not be sent to http://collector:no-port (OTEL_EXPORTER_OTLP_ENDPOINT) and are lost: ",
    ),
  ]);
  expect(announced.scrape).toBeTypeOf("function");
});

test.each(["OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"])(
  "a file of %s that cannot be read is named in one warning, and the game goes on",
  async (variable) => {
    const authority = createAuthority("collectors");
    const collector = await startOtlpServer(undefined, authority.issue("collector"));
    const file = join(folder(), "missing.pem");
    vi.stubEnv(variable, file);
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `https://127.0.0.1:${collector.port}`);
    const { announced } = await startFresh();
    trace.getTracer("game").startSpan("kept").end();
    await announced.flush(60_000);
    expect(warned().filter((line) => line.includes(`${variable}="${file}"`))).toHaveLength(1);
  },
);

test.each([
  ["an authority", ["OTEL_EXPORTER_OTLP_CERTIFICATE"], "unable to verify"],
  ["a key pair", ["OTEL_EXPORTER_OTLP_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"], "PEM"],
])("a file that should hold %s and does not is told, and the game goes on", async (_what, variables, said) => {
  const file = join(folder(), "broken.pem");
  writeFileSync(file, "broken");
  variables.forEach((variable) => vi.stubEnv(variable, file));
  const collector = await startOtlpServer(undefined, createAuthority("collectors").issue("collector"));
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `https://127.0.0.1:${collector.port}`);
  const { announced } = await startFresh();
  trace.getTracer("game").startSpan("kept").end();
  await announced.flush(60_000);
  expect(warned()).toEqual([expect.stringContaining("1 spans could not be sent to https://127.0.0.1")]);
  expect(warned()[0]).toContain(said);
});
