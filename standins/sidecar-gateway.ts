// Stands in for the HTTP side of Agones' sdk-server, a grpc-gateway; checked by reading proto/sdk/sdk.proto,
// pkg/sdk/sdk.pb.gw.go, cmd/sdk-server/main.go and the vendored grpc-gateway v2 of agones-dev/agones 676cc64. Left out:
// WebSockets, several values in one body of /health, alpha and beta; the messages of a body that cannot be read are ours.
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { toJson } from "./game-server-json.ts";
import type { SidecarHost } from "./sidecar-host.ts";
import type { SdkRequest } from "./sidecar-requests.ts";
import { serveUnary } from "./sidecar-requests.ts";
import type { Listening } from "./sidecar-service.ts";
import type { SdkMethod } from "./sidecar-tally.ts";

/** @throws Error when the port is taken */
export async function listenHttp(host: SidecarHost, wanted: number): Promise<Listening> {
  const server = createServer((request, response) =>
    host.traffic.take(() => {
      if (!response.destroyed) void serve(host, request, response);
    }),
  );
  // Go's server keeps an idle connection for ever.
  server.keepAliveTimeout = 0;
  server.listen(wanted, "127.0.0.1");
  await once(server, "listening").catch((error: Error) => {
    throw new Error(`the Agones stand-in cannot listen on ${wanted}: ${error.message}`);
  });
  return {
    port: (server.address() as AddressInfo).port,
    goaway: () => server.closeAllConnections(),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const routes: Readonly<Record<string, readonly [verb: string, method: SdkMethod]>> = {
  "/ready": ["POST", "ready"],
  "/allocate": ["POST", "allocate"],
  "/shutdown": ["POST", "shutdown"],
  "/reserve": ["POST", "reserve"],
  "/health": ["POST", "health"],
  "/gameserver": ["GET", "getGameServer"],
  "/watch/gameserver": ["GET", "watchGameServer"],
  "/metadata/label": ["PUT", "setLabel"],
  "/metadata/annotation": ["PUT", "setAnnotation"],
};

async function serve(host: SidecarHost, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = ""] = (request.url ?? "").split("?");
  // healthCheckWrapper() in main.go: before any routing, and without a body of its own.
  if (path === "/health" && isBodiless(request)) return void response.writeHead(400).end();
  const [verb, method] = routes[path] ?? [];
  if (method === undefined) return refuse(response, 404, 5, "Not Found");
  if (verb !== request.method) return refuse(response, 501, 12, "Method Not Allowed");
  if (method === "watchGameServer") return watch(host, response);
  const body = await text(request).catch(() => undefined);
  if (body === undefined) return;
  const read = readRequest(body);
  if (read === undefined) return refuse(response, 400, 3, "the body is not the JSON of this request");
  if (method === "health") {
    host.received("health", "http");
    return host.traffic.answer(() => respond(response, 200, {}));
  }
  serveUnary(host, "http", method, read, (problem) => {
    if (problem !== undefined) refuse(response, 400, 3, problem);
    else respond(response, 200, method === "getGameServer" ? toJson(host.gameServer()) : {});
  });
}

function watch(host: SidecarHost, response: ServerResponse): void {
  host.received("watchGameServer", "http");
  const write = (chunk: object): void => {
    if (!response.headersSent) response.writeHead(200, { "content-type": "application/json" });
    response.write(`${JSON.stringify(chunk)}\n`);
  };
  const { leave } = host.watchers.add(
    {
      send: (gameServer) => write({ result: toJson(gameServer) }),
      end: () => void response.end(),
      fail: () => {
        write({ error: { code: 14, message: "the watch broke", details: [] } });
        response.end();
      },
    },
    host.gameServer,
  );
  response.once("close", leave);
}

function isBodiless({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
}

/** Undefined for what is not the JSON of a request. An int64 may come as a number or as a string, and null is unset. */
function readRequest(body: string): SdkRequest | undefined {
  if (body.trim() === "") return {};
  let fields: Partial<Record<keyof SdkRequest, unknown>> | null;
  try {
    fields = JSON.parse(body) as typeof fields;
  } catch {
    return undefined;
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return undefined;
  const [key, value, seconds] = [fields.key ?? "", fields.value ?? "", Number(fields.seconds ?? 0)];
  if (typeof key !== "string" || typeof value !== "string" || !Number.isSafeInteger(seconds)) return undefined;
  return { key, value, seconds };
}

function refuse(response: ServerResponse, httpStatus: number, code: number, message: string): void {
  respond(response, httpStatus, { code, message, details: [] });
}

function respond(response: ServerResponse, httpStatus: number, body: object): void {
  response.writeHead(httpStatus, { "content-type": "application/json" }).end(JSON.stringify(body));
}
