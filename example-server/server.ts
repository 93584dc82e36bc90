import { instrument, type Trust } from "colyseus-otel";
import { startTelemetry } from "colyseus-otel/sdk";
import { server } from "./game.ts";
import { orchestration } from "./orchestrator.ts";

startTelemetry();
const telemetry = instrument(server, {
  ...orchestration(),
  trust: (process.env.ARENA_TRUST ?? "continue") as Trust,
  session: { linger: Number(process.env.ARENA_LINGER_MS ?? 15_000) },
  endpoints: { host: "127.0.0.1", port: Number(process.env.ADMIN_PORT ?? 9464) },
});

await server.listen(Number(process.env.PORT ?? 2567));

const address = server.transport.server?.address();
const port = typeof address === "object" ? address?.port : undefined;
process.send?.({ type: "arena:listening", port, endpoints: telemetry.endpoints });
