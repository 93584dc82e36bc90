import type { WebSocket } from "ws";
import type { CallFault } from "./gamelift-handle.ts";
import { carryOut, type Reply, type ServerProcess, type Truth } from "./gamelift-truth.ts";
import { createWaiters, type Waiters } from "./waiters.ts";

type Request = Readonly<Record<string, string>>;

export type CarriedOut = (request: Request) => void;

/** Who is connected, what was asked, and what is to go wrong. */
export interface Wire {
  readonly truth: Truth;
  readonly connections: Record<string, string>[];
  readonly calls: Record<string, number>;
  readonly faults: Map<string, CallFault[]>;
  readonly tokens: Set<string>;
  readonly sockets: Set<WebSocket>;
  readonly refusals: number[];
  readonly waiters: Waiters;
  readonly carriedOut: CarriedOut;
}

export function newWire(carriedOut: CarriedOut): Wire {
  const wire: Wire = {
    truth: { processes: new Map(), gameSessions: new Map(), playerSessions: new Map() },
    connections: [],
    calls: {},
    faults: new Map(),
    tokens: new Set(["token-1"]),
    sockets: new Set(),
    refusals: [],
    waiters: createWaiters(() =>
      JSON.stringify({ calls: wire.calls, open: wire.sockets.size, connections: wire.connections.length }),
    ),
    carriedOut,
  };
  return wire;
}

export function accept(wire: Wire, socket: WebSocket, pID: string): void {
  const { truth, sockets, waiters } = wire;
  const process = truth.processes.get(pID) ?? { id: pID, state: "connected", port: undefined, heartbeats: [] };
  truth.processes.set(pID, process);
  sockets.add(socket);
  socket.on("error", () => {});
  socket.on("close", () => {
    sockets.delete(socket);
    waiters.changed();
  });
  socket.on("message", (data: Buffer) => answer(wire, socket, process, JSON.parse(data.toString()) as Request));
  waiters.changed();
}

export function cut({ sockets }: Wire): void {
  for (const socket of sockets) {
    socket.terminate();
  }
}

function answer(wire: Wire, socket: WebSocket, process: ServerProcess, request: Request): void {
  const { Action: action = "", RequestId: requestId } = request;
  wire.calls[action] = (wire.calls[action] ?? 0) + 1;
  const fault = wire.faults.get(action)?.shift();
  const reply = replyTo(wire, process, request, fault);
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
  wire.waiters.changed();
}

function replyTo({ truth, carriedOut }: Wire, process: ServerProcess, request: Request, fault?: CallFault): Reply {
  if (fault === "cut" || (typeof fault === "object" && "status" in fault)) {
    return { StatusCode: typeof fault === "object" ? fault.status : 0, ErrorMessage: "on command" };
  }
  const reply = carryOut(truth, process, request);
  if (reply.StatusCode === 200) {
    carriedOut(request);
  }
  return reply;
}
