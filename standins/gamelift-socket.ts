// Stands in for the WebSocket of Amazon GameLift Servers that server SDKs 5 speak to; checked by reading the official Go
// SDK, amazon-gamelift-servers-go-server-sdk v5.6.0 dffb2a4: server/internal, model/message, model/request. Never compared
// with AWS. What the service does with a request that it has carried out already is a guess (gamelift-truth.ts); signatures
// are not checked, nor the forms of ids and ports; no game session or player session times out.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import type { CallFault, GameLiftSocket } from "./gamelift-handle.ts";
import { carryOut, type ServerProcess, type Truth } from "./gamelift-truth.ts";
import { createWaiters } from "./waiters.ts";

export type { CallFault, GameLiftSocket } from "./gamelift-handle.ts";

/** @throws Error when the port is taken */
export async function startGameLift(): Promise<GameLiftSocket> {
  const truth: Truth = { processes: new Map(), gameSessions: new Map(), playerSessions: new Map() };
  const connections: Record<string, string>[] = [];
  const calls: Record<string, number> = {};
  const faults = new Map<string, CallFault[]>();
  const tokens = new Set(["token-1"]);
  const sockets = new Set<WebSocket>();
  const refusals: number[] = [];
  const waiters = createWaiters(() => JSON.stringify({ calls, open: sockets.size, connections: connections.length }));
  const websockets = new WebSocketServer({ noServer: true });
  const server = createServer().on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const query = Object.fromEntries(new URL(request.url ?? "/", "ws://gamelift").searchParams);
    connections.push(query);
    const status =
      refusals.shift() ?? (query["Authorization"] === "SigV4" || tokens.has(query["Authorization"] ?? "") ? 0 : 403);
    if (status > 0) {
      socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    } else {
      websockets.handleUpgrade(request, socket, head, (opened) => accept(opened, query["pID"] ?? ""));
    }
    waiters.changed();
  });

  function accept(socket: WebSocket, pID: string): void {
    const process = truth.processes.get(pID) ?? { id: pID, state: "connected", port: undefined, heartbeats: [] };
    truth.processes.set(pID, process);
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      waiters.changed();
    });
    socket.on("message", (data: Buffer) =>
      answer(socket, process, JSON.parse(data.toString()) as Record<string, string>),
    );
    waiters.changed();
  }

  function answer(socket: WebSocket, process: ServerProcess, request: Readonly<Record<string, string>>): void {
    const { Action: action = "", RequestId: requestId } = request;
    calls[action] = (calls[action] ?? 0) + 1;
    const fault = faults.get(action)?.shift();
    const reply =
      fault === "cut" || (typeof fault === "object" && "status" in fault)
        ? { StatusCode: typeof fault === "object" ? fault.status : 0, ErrorMessage: "on command" }
        : carryOut(truth, process, request);
    const text = JSON.stringify({ Action: action, RequestId: requestId, ...reply });
    if (typeof fault === "object" && "before" in fault) {
      socket.send(JSON.stringify({ Action: action, RequestId: requestId, ...fault.before }));
    }
    if (fault === "cut" || fault === "cut_after") {
      socket.terminate();
    } else if (typeof fault === "object" && "after" in fault) {
      void fault.after.then(() => socket.send(text, () => {}));
    } else if (fault !== "silence") {
      socket.send(typeof fault === "object" && "text" in fault ? fault.text : text, () => {});
    }
    waiters.changed();
  }

  const newest = () => [...sockets].at(-1);
  const push = (fields: object) => newest()?.send(JSON.stringify(fields));
  const process = () => {
    const [one] = truth.processes.values();
    if (!one) {
      throw new Error("no process has connected");
    }
    return one;
  };

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...truth,
    url,
    connections,
    calls,
    tokens,
    process,
    get open() {
      return sockets.size;
    },
    createGameSession(session = {}) {
      const GameSessionId = `arn:aws:gamelift:eu-central-1::gamesession/fleet-1/${randomUUID()}`;
      const record = { GameSessionId, processId: process().id, status: "ACTIVATING", creation: "ACCEPT_ALL" } as const;
      truth.gameSessions.set(GameSessionId, { ...record });
      push({
        Action: "CreateGameSession",
        GameSessionId,
        MaximumPlayerSessionCount: 8,
        IpAddress: "127.0.0.1",
        ...session,
      });
      return GameSessionId;
    },
    repeatGameSession: (GameSessionId) => push({ Action: "CreateGameSession", GameSessionId }),
    createPlayerSession(GameSessionId, PlayerData = "") {
      const PlayerSessionId = `psess-${randomUUID()}`;
      const record = { PlayerSessionId, GameSessionId, PlayerData, PlayerId: "ann", Status: "RESERVED" } as const;
      truth.playerSessions.set(PlayerSessionId, { ...record });
      return PlayerSessionId;
    },
    updateGameSession: (GameSessionId, fields, UpdateReason) =>
      push({
        Action: "UpdateGameSession",
        GameSession: { GameSessionId, ...fields },
        UpdateReason,
        BackfillTicketId: "t-1",
      }),
    terminate: (TerminationTime = Date.now() + 300_000) => push({ Action: "TerminateProcess", TerminationTime }),
    refresh(revoke = false) {
      if (revoke) {
        tokens.clear();
      }
      const AuthToken = `token-${randomUUID()}`;
      tokens.add(AuthToken);
      push({ Action: "RefreshConnection", RefreshConnectionEndpoint: url, AuthToken });
    },
    send: (text) => newest()?.send(text),
    fault: (action, ...more) => void faults.set(action, [...(faults.get(action) ?? []), ...more]),
    refuse: (status, times) => void refusals.push(...Array.from({ length: times }, () => status)),
    cut() {
      for (const socket of sockets) {
        socket.terminate();
      }
    },
    waitFor: (what, predicate, timeout = 5000) => waiters.waitFor(predicate, timeout, what),
    async [Symbol.asyncDispose]() {
      waiters.abandon("GameLift was closed");
      for (const socket of sockets) {
        socket.terminate();
      }
      server.close();
      server.closeAllConnections();
    },
  };
}
