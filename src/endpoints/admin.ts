import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { announcedTelemetry } from "../telling/announcement.ts";
import { now } from "../internal/clock.ts";
import { describe, guard, warn } from "../internal/report.ts";
import { answerProbe, type Health } from "./readiness.ts";

export interface Endpoints {
  readonly host: string;
  readonly port: number;
}

export interface AdminServer {
  /** Where it listens; undefined until it does, or when it cannot. */
  readonly address: Endpoints | undefined;
  close(): Promise<void>;
}

const NO_METRICS =
  "no metrics here: call startTelemetry() from colyseus-otel/sdk, or scrape the exporter of your own SDK";

/** The private admin port. A port in use is one clear error, and the game goes on. Alone it keeps no process alive. */
export function serveAdmin({ host, port }: Endpoints, health: Health): AdminServer {
  const server = createServer((request, response) => {
    guard("admin endpoints", () => answer(request, response, health));
  });
  server.on("error", (error) => {
    warn(
      "admin port",
      `no /metrics and no probes at ${host}:${port} (option endpoints): ${describe(error)}. The game goes on without them.`,
    );
  });
  server.listen(port, host).unref();
  return {
    get address() {
      const bound = server.address() as AddressInfo | null;
      return bound ? { host: bound.address, port: bound.port } : undefined;
    },
    close: () => close(server),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, health: Health): void {
  const path = (request.url ?? "/").split("?", 1)[0]!;
  if (request.method !== "GET" && request.method !== "HEAD") {
    return send(response, 405, "text/plain", "GET or HEAD\n");
  }
  if (path === "/metrics") {
    const scrape = announcedTelemetry()?.scrape;
    return scrape ? scrape(request, response) : send(response, 503, "text/plain", `${NO_METRICS}\n`);
  }
  const probe = answerProbe(path, health, now());
  if (!probe) {
    return send(response, 404, "text/plain", "/metrics, /startupz, /readyz, /livez\n");
  }
  send(response, probe.status, "application/json", `${JSON.stringify(probe.body)}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type }).end(body);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
