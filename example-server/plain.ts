// The game without a line of telemetry: node --import colyseus-otel/register example-server/plain.ts
import { server } from "./game.ts";

await server.listen(Number(process.env.PORT ?? 2567));

const address = server.transport.server?.address();
const port = typeof address === "object" ? address?.port : undefined;
process.send?.({ type: "arena:listening", port });
