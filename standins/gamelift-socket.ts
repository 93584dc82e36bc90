// Stands in for the WebSocket of Amazon GameLift Servers that server SDKs 5 speak to; checked by reading the official Go
// SDK, amazon-gamelift-servers-go-server-sdk v5.6.0 dffb2a4: server/internal, model/message, model/request. Never compared
// with AWS. What the service does with a request that it has carried out already is a guess (gamelift-truth.ts); signatures
// are not checked, nor the forms of ids and ports; no game session or player session times out.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { GameLiftSocket } from "./gamelift-handle.ts";
import { pushesOver } from "./gamelift-pushes.ts";
import { accept, cut, newWire, type CarriedOut, type Wire } from "./gamelift-wire.ts";

export type { CallFault, GameLiftSocket } from "./gamelift-handle.ts";

export interface GameLiftSocketOptions {
  /** Told of each request that was carried out, before it is answered. */
  readonly carriedOut?: CarriedOut;
}

/** @throws Error when the port is taken */
export async function startGameLift({ carriedOut = () => {} }: GameLiftSocketOptions = {}): Promise<GameLiftSocket> {
  const wire = newWire(carriedOut);
  const websockets = new WebSocketServer({ noServer: true });
  const server = createServer().on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const query = Object.fromEntries(new URL(request.url ?? "/", "ws://gamelift").searchParams);
    wire.connections.push(query);
    const status = refusalOf(wire, query["Authorization"] ?? "");
    if (status > 0) {
      socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    } else {
      websockets.handleUpgrade(request, socket, head, (opened) => accept(wire, opened, query["pID"] ?? ""));
    }
    wire.waiters.changed();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return handleOf(wire, server);
}

/** An HTTP status; 0 for none. */
function refusalOf({ refusals, tokens }: Wire, authorization: string): number {
  return refusals.shift() ?? (authorization === "SigV4" || tokens.has(authorization) ? 0 : 403);
}

function handleOf(wire: Wire, server: Server): GameLiftSocket {
  const { truth, connections, calls, tokens, sockets, faults, refusals, waiters } = wire;
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...truth,
    ...pushesOver(wire, url),
    url,
    connections,
    calls,
    tokens,
    get open() {
      return sockets.size;
    },
    fault: (action, ...more) => void faults.set(action, [...(faults.get(action) ?? []), ...more]),
    refuse: (status, times) => void refusals.push(...Array.from({ length: times }, () => status)),
    cut: () => cut(wire),
    waitFor: (what, predicate, timeout = 5000) => waiters.waitFor(predicate, timeout, what),
    async [Symbol.asyncDispose]() {
      waiters.abandon("GameLift was closed");
      cut(wire);
      server.close();
      server.closeAllConnections();
    },
  };
}
