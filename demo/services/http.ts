import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { ServerError } from "@colyseus/core";
import { AllocationError } from "colyseus-otel/backend";
import type { Backend } from "./backend.ts";
import type { LoginRequest, Pass } from "./protocol.ts";

export interface Listening extends AsyncDisposable {
  /** `http://host:port` */
  readonly url: string;
}

/** `POST /login`, `POST /match` and `POST /logout`, on a free port. */
export async function serveBackend(backend: Backend): Promise<Listening> {
  const server = createServer((request, response) => void answer(backend, request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(backend: Backend, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const left = new AbortController();
  response.once("close", () => left.abort(new Error("the player has gone")));
  try {
    const route = `${request.method} ${request.url}`;
    if (route === "POST /login") send(response, 200, backend.login((await json(request)) as LoginRequest));
    else if (route === "POST /match")
      send(response, 200, await backend.match((await json(request)) as Pass, left.signal));
    else if (route === "POST /logout") {
      backend.logout((await json(request)) as Pass);
      send(response, 200, {});
    } else send(response, 404, { error: `nothing answers ${route}` });
  } catch (error) {
    send(response, statusOf(error), { error: (error as Error).message });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function statusOf(error: unknown): number {
  if (error instanceof ServerError) return error.code;
  if (error instanceof AllocationError) return 503;
  return error instanceof SyntaxError || error instanceof TypeError ? 400 : 500;
}
