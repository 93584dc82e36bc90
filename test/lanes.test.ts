import { SpanStatusCode, trace } from "@opentelemetry/api";
import { Room, ServerError, type Client } from "@colyseus/core";
import type { Room as ClientRoom } from "@colyseus/sdk";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import { afterEach, expect, test, vi } from "vitest";
import { bootPhase, mapLoad } from "colyseus-otel";
import { startTelemetry, type StartTelemetryOptions } from "colyseus-otel/sdk";
import { startReceiver, type ReceivedSpan } from "../demo/receiver/receiver.ts";
import { drop, returnAtOnce, GLOBAL_PROVIDERS, roomOf, startServer, until } from "./_server.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER = "00-1af7651916cd43dd8448eb211c80319c-17ad6b7169203331-01";
const UNSAMPLED = TRACEPARENT.replace(/01$/, "00");

class ArenaRoom extends Room {
  override maxClients = 2;

  static override async onAuth(_token: string, options: { ticket?: string }) {
    return options.ticket !== "forged" && { name: "ada" };
  }

  override onCreate() {
    trace.getTracer("game").startActiveSpan("load map", (span) => {
      trace.getTracer("game").startSpan("tile").end();
      span.end();
    });
    mapLoad("dust2", () => trace.getActiveSpan()!.setAttribute("tiles", 3));
    mapLoad("aztec", () => {}, { mode: "duel" });
  }

  override async onJoin(_client: Client, options: { bad?: "throws" | "refuses"; writes?: boolean }) {
    await Promise.resolve();
    if (options.writes) {
      const span = trace.getActiveSpan()!;
      span.setAttribute("team", "red").setAttributes({ "colyseus.room.name": "renamed", scores: [1, 2.5] });
      span.addEvent("spawned", { x: 1 }).addLink({ context: span.spanContext() });
      span.recordException(new TypeError("off the map"));
      span.setStatus({ code: SpanStatusCode.ERROR, message: "late" }).updateName("joined by hand");
    }
    if (options.bad === "throws") {
      throw new Error("no spawn point");
    }
    if (options.bad === "refuses") {
      throw new ServerError(4444, "banned");
    }
  }

  override onDrop(client: Client) {
    this.allowReconnection(client, 20).catch(() => {});
  }

  override onReconnect() {}

  override onLeave() {
    trace.getActiveSpan()?.setStatus({ code: SpanStatusCode.OK }).updateName("left by hand");
  }

  override onDispose() {
    throw new Error("disk full");
  }
}

/** A story with joins, refusals, a crash of onJoin, leaves, and spans of the game's own, as the receiver has it. */
async function play(options: () => StartTelemetryOptions): Promise<ReceivedSpan[]> {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
  await using sdk = startTelemetry({ ...options(), load: "now" });
  mapLoad("early", () => {});
  const server = await startServer({ arena: ArenaRoom }, {}, undefined, GLOBAL_PROVIDERS);
  await using _server = server;
  const client = server.client({ traceparent: OTHER });
  expect(() => bootPhase("rules", () => JSON.parse("no rules"))).toThrow(SyntaxError);
  const ada = await client.create("arena", { traceparent: TRACEPARENT, writes: true });
  const { roomId } = ada;
  for (const refused of [
    { ticket: "forged" },
    { bad: "throws" },
    { bad: "throws", writes: true },
    { bad: "refuses" },
  ]) {
    await client.joinById(roomId, refused).catch(() => {});
  }
  const bob = await client.joinById(roomId, { traceparent: UNSAMPLED });
  await backAgain(ada);
  await client.joinById(roomId).catch(() => {});
  await client.joinOrCreate("nowhere").catch(() => {});
  await bob.leave();
  await ada.leave();
  await until("the disposal", () => !roomOf(roomId));
  await client.create("arena", { traceparent: TRACEPARENT });
  await server.telemetry.shutdown();
  await sdk.flush(5000);
  return [...receiver.spans];
}

/** The player's network breaks, and the SDK comes back. */
async function backAgain(player: ClientRoom): Promise<void> {
  returnAtOnce(player);
  const back = new Promise<void>((done) => player.onReconnect.once(() => done()));
  await drop(player);
  await back;
}

/** Spans by name and way from the root, without ids and times. */
function told(spans: readonly ReceivedSpan[]): unknown[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const pathOf = (span: ReceivedSpan): string => {
    const parent = span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId);
    return parent ? `${pathOf(parent)} > ${span.name}` : `${span.parentSpanId ?? ""} ${span.name}`;
  };
  const ids = new Set(spans.flatMap(({ attributes }) => idsIn(attributes)));
  const plain = (key: string, value: unknown) =>
    ids.has(value) || key === "exception.stacktrace"
      ? "<id>"
      : typeof value === "number" && NUMBERS.has(key)
        ? 0
        : value;
  const attributesOf = (attributes: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      Object.entries(attributes)
        .map(([key, value]) => [key, plain(key, value)] as const)
        .toSorted(([a], [b]) => a.localeCompare(b)),
    );
  return spans
    .map(({ kind, status, links, events, attributes, scope, ...span }) => ({
      path: pathOf({ kind, status, links, events, attributes, scope, ...span }),
      kind,
      status,
      links: links.map((link) => [byId.get(link.spanId)?.name ?? link.spanId, link.attributes]),
      events: events.map((event) => [event.name, attributesOf(event.attributes)]),
      attributes: attributesOf(attributes),
      scope,
    }))
    .toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}

const NUMBERS = new Set(["seat.wait", "session.start_time", "session.duration_seconds"]);
const IDS = new Set(["colyseus.room.id", "colyseus.session.id", "colyseus.process.id", "session.id"]);

function idsIn(attributes: Readonly<Record<string, unknown>>): unknown[] {
  return Object.entries(attributes)
    .filter(([key]) => IDS.has(key))
    .map(([, value]) => value);
}

test("the same story told through both lanes gives the same spans, attribute by attribute", async () => {
  const standard = await play(() => ({
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  }));
  const fast = await play(() => ({}));
  expect(told(fast).length).toBeGreaterThan(30);
  expect(told(fast)).toStrictEqual(told(standard));
});
