// The game without the two lines of telemetry: node --import colyseus-otel/register example-server/plain.ts
import type { IncomingMessage, ServerResponse } from "node:http";
import { DEFAULT_MAP, openArenaMap } from "./arena/loaded-map.ts";
import { server } from "./game.ts";

interface App {
  post(path: string, handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>): void;
}

// It has no onAllocated, so the matchmaker says when the map is wanted: before the first player comes.
server.options.express = (app: App) => {
  app.post("/prepare", async (_request, response) => {
    await openArenaMap(DEFAULT_MAP);
    response.writeHead(204).end();
  });
};

await server.listen(Number(process.env.PORT ?? 2567));

const address = server.transport.server?.address();
const port = typeof address === "object" ? address?.port : undefined;
process.send?.({ type: "arena:listening", port });
