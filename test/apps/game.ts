// A game server as a user writes one, set by APP (JSON); says over IPC when it listens, and answers a few questions.
import { defineRoom, defineServer, Room, type Client } from "@colyseus/core";
import { metrics, trace } from "@opentelemetry/api";
import { setTimeout as wait } from "node:timers/promises";
import { bootPhase, instrument, mapLoad, sessionOf, type InstrumentOptions } from "colyseus-otel";
import { agones } from "colyseus-otel/agones";
import { startTelemetry } from "colyseus-otel/sdk";
import type { AppOptions } from "../_app.ts";

const app = JSON.parse(process.env["APP"] ?? "{}") as AppOptions;

if (app.sdk !== false) {
  startTelemetry();
}
const clicks = metrics.getMeter("game").createCounter("game.clicks");
clicks.add(3);

class Arena extends Room {
  override maxClients = 50;
  override onJoin(_client: Client, options?: { readonly bug?: boolean }) {
    if (options?.bug) {
      throw new Error("a bug of the game's");
    }
  }
  override onLeave(): void | Promise<void> {
    return app.slowLeave === undefined ? undefined : wait(app.slowLeave);
  }
  override messages = {
    carrier: (client: Client) => client.send("carrier", sessionOf(client).carrier()),
  };
  override onDispose() {
    tell({ type: "app:disposed", at: performance.timeOrigin + performance.now() });
  }
}

if (app.earlyMap !== undefined) {
  await mapLoad("early", () => wait(app.earlyMap));
}
const said: string[] = [];
const server = defineServer({
  rooms: { arena: defineRoom(Arena) },
  greet: false,
  beforeListen: async () => {
    if (app.beforeListen === "throw") {
      throw new Error("no database");
    }
    tell({ type: "app:booting" });
    const takes = app.beforeListen ?? 0;
    await bootPhase("services", () => wait(takes));
    await mapLoad("arena", () => trace.getTracer("game").startActiveSpan("read tiles", async (span) => span.end()));
  },
});
server.onBeforeShutdown(async () => {
  await wait(app.beforeShutdown ?? 0);
  said.push("before");
});
process.on("message", (message) => {
  if (message === "throw") {
    setImmediate(() => {
      throw new Error("a bug of the game's");
    });
  }
});
server.onShutdown(() => void said.push("after"));
process.on("exit", () => console.log(`said ${said.join(",")}`));

const options: InstrumentOptions = {
  ...(app.agones && { orchestrator: agones(app.agones) }),
  ...(app.drainDeadline !== undefined && { drainDeadline: app.drainDeadline }),
  ...(app.linger !== undefined && { session: { linger: app.linger } }),
  endpoints: app.endpoints ?? { port: 0 },
};
const telemetry = instrument(server, options);
telemetry.ready.then(
  () => tell({ type: "app:ready", endpoints: telemetry.endpoints }),
  (error: Error) => tell({ type: "app:failed", reason: error.message, endpoints: telemetry.endpoints }),
);
const listening = server.listen(app.port ?? 0, "127.0.0.1");
if (app.exitOnFailure) {
  listening.catch(() => process.exit(7));
}
await listening;
const { port } = server.transport.server!.address() as { port: number };
tell({ type: "app:listening", port });
if (app.stopByItself) {
  await telemetry.ready;
  await server.gracefullyShutdown(false);
}

function tell(message: object): void {
  process.send?.(message);
}
