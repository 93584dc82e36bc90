import { instrument, type Trust } from "colyseus-otel";
import { agones } from "colyseus-otel/agones";
import { startTelemetry } from "colyseus-otel/sdk";
import { allocatedMap } from "./allocation.ts";
import { openArenaMap } from "./arena/loaded-map.ts";
import { server } from "./game.ts";

startTelemetry();
const telemetry = instrument(server, {
  orchestrator: agones({
    onAllocated: async (gameServer) => {
      await openArenaMap(allocatedMap(gameServer));
    },
  }),
  trust: (process.env.ARENA_TRUST ?? "continue") as Trust,
  session: { linger: Number(process.env.ARENA_LINGER_MS ?? 15_000) },
  endpoints: { host: "127.0.0.1", port: Number(process.env.ADMIN_PORT ?? 9464) },
});

await server.listen(Number(process.env.PORT ?? 2567));

const address = server.transport.server?.address();
const port = typeof address === "object" ? address?.port : undefined;
process.send?.({ type: "arena:listening", port, endpoints: telemetry.endpoints });
