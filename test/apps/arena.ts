// The example game as an operator runs it, with every metric that there is; set by APP (JSON).
import { Room } from "@colyseus/core";
import { instrument } from "colyseus-otel";
import { agones } from "colyseus-otel/agones";
import { gamelift } from "colyseus-otel/gamelift";
import { startTelemetry } from "colyseus-otel/sdk";
import { openArenaMap } from "../../example-server/arena/loaded-map.ts";
import { server } from "../../example-server/game.ts";
import type { ArenaOptions } from "../real/_evening.ts";

const { orchestrator, deadline, linger } = JSON.parse(process.env["APP"] ?? "{}") as ArenaOptions;

class Buggy extends Room {
  override onJoin() {
    throw new Error("no spawn point");
  }
}

startTelemetry({ host: true, runtime: true });
server.define("buggy", Buggy);
const onAllocated = () => openArenaMap("crossfire");
const telemetry = instrument(server, {
  orchestrator:
    orchestrator === "gamelift"
      ? gamelift({ deadline, onGameSession: onAllocated })
      : agones({ deadline, onAllocated }),
  endpoints: { port: 0 },
  messages: true,
  session: { linger },
});
await server.listen(0, "127.0.0.1");
await telemetry.ready.catch(() => {});
const { port } = server.transport.server!.address() as { port: number };
process.on("disconnect", () => process.exit());
process.send?.({ type: "app:ready", port, endpoints: telemetry.endpoints });
