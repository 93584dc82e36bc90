// Stands in for the AWS JSON API of Amazon GameLift Servers (x-amz-json-1.1), for the real AWS client with its `endpoint`
// set to it; checked by reading the service's model 2015-10-01 (botocore 1.43.107) and the types and documentation in
// @aws-sdk/client-gamelift 3.1133.0. Never compared with AWS. Left out: signatures (only looked for), fleets but the one,
// priorities and time-outs of queues, activation time-outs, FlexMatch, rate limits of its own.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { createFleet, type Fleet } from "./gamelift-fleet.ts";
import type { HostedSession } from "./gamelift-hosted.ts";
import { ServiceError } from "./gamelift-input.ts";
import { operationsOn } from "./gamelift-operations.ts";
import type { Placement } from "./gamelift-placing.ts";
import { createLedger, type GameLiftTally, type Ledger } from "./gamelift-tally.ts";
import type { PlayerSessionRecord } from "./gamelift-truth.ts";
import { createWaiters, type Waiters } from "./waiters.ts";

export type { HostedSession } from "./gamelift-hosted.ts";
export type { GameLiftTally } from "./gamelift-tally.ts";

export interface GameLiftApiOptions {
  /** Server processes that wait for a game session. @default 1 */
  readonly processes?: number;
  /** The server process: it calls `activate()` when it can be played in. @default at once, after the answer */
  readonly onCreateGameSession?: (session: HostedSession) => void;
  readonly onCreatePlayerSession?: (player: PlayerSessionRecord) => void;
  /** Where the next server process listens. @default 7001 and so on */
  readonly port?: () => number | undefined;
  /** Whether another server process follows one whose game session has ended. @default true */
  readonly replaced?: boolean;
}

/**
 * `"hang"`: not done, not answered. `"lost"`: done, and the connection is cut before the answer. `"cut"`: not done, and
 * cut. `"down"`: 500. An error is answered by its name.
 */
export type GameLiftFault = "hang" | "lost" | "cut" | "down" | { readonly error: string; readonly status?: number };

export interface GameLiftRequest {
  /** `CreateGameSession` and so on. */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface GameLiftApi extends AsyncDisposable {
  readonly endpoint: string;
  readonly requests: readonly GameLiftRequest[];
  readonly sessions: readonly HostedSession[];
  readonly placements: readonly Placement[];
  /** How provisionings came out, by their GameProperty `match`. */
  tally(): GameLiftTally;
  /** How many requests there were of an operation. */
  count(operation: string): number;
  /** So many more server processes are ready; what waits for one gets it. */
  addProcesses(count: number): void;
  readonly freeProcesses: number;
  /** What goes wrong from now on, by request; undefined for nothing. */
  setFault(fault?: GameLiftFault | ((request: GameLiftRequest) => GameLiftFault | undefined)): void;
  /** @param timeout in milliseconds, default 5,000 @throws Error that says what was waited for */
  waitFor(predicate: (api: GameLiftApi) => boolean, timeout?: number, what?: string): Promise<void>;
}

export async function startGameLiftApi(options: GameLiftApiOptions = {}): Promise<GameLiftApi> {
  const { processes = 1, onCreateGameSession = activateSoon, onCreatePlayerSession, port, replaced = true } = options;
  const requests: GameLiftRequest[] = [];
  const waiters = createWaiters(() => requests.map(({ operation }) => operation).join(", ") || "no request");
  const fleet = createFleet(processes, {
    host: onCreateGameSession,
    port: () => port?.(),
    seat: (player) => onCreatePlayerSession?.(player),
    replaced,
    changed: () => waiters.changed(),
  });
  const service: Service = { fleet, ledger: createLedger(), requests, faultOf: () => undefined };
  const perform = performerOf(service);
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await read(request);
    requests.push(asked);
    const fault = service.faultOf(asked);
    const signed = /\/gamelift\/aws4_request,/.test(request.headers.authorization ?? "");
    const { status, body, lost } = perform(asked, signed ? fault : { error: "MissingAuthenticationTokenException" });
    waiters.changed();
    if (!lost) {
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
    } else if (fault !== "hang") {
      response.destroy();
    }
  }

  return handleOf(service, waiters, server);
}

interface Service {
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  readonly requests: readonly GameLiftRequest[];
  faultOf: (request: GameLiftRequest) => GameLiftFault | undefined;
}

function activateSoon({ activate }: HostedSession): void {
  setImmediate(activate);
}

async function read(request: IncomingMessage): Promise<GameLiftRequest> {
  const operation = /^GameLift\.(\w+)$/.exec(String(request.headers["x-amz-target"]))?.[1] ?? "";
  return { operation, input: (await json(request)) as GameLiftRequest["input"] };
}

interface Outcome {
  readonly status: number;
  readonly body: object;
  /** Nobody hears of it. */
  readonly lost: boolean;
}

function performerOf({ fleet, ledger }: Service): (asked: GameLiftRequest, fault?: GameLiftFault) => Outcome {
  const operations = operationsOn(fleet);
  return (asked, fault) => {
    const lost = fault === "hang" || fault === "cut" || fault === "lost";
    try {
      failBy(fault);
      const operation = operations[asked.operation];
      if (!operation) {
        throw new ServiceError("UnknownOperationException", asked.operation);
      }
      const body = operation(asked.input);
      ledger.answered(asked, lost ? undefined : body);
      return { status: 200, body, lost };
    } catch (error) {
      const { type, message, status } =
        error instanceof ServiceError ? error : new ServiceError("InternalServiceException", String(error), 500);
      ledger.refused(asked, lost ? undefined : type);
      return { status, body: { __type: type, Message: message }, lost };
    }
  };
}

function handleOf(service: Service, waiters: Waiters, server: Server): GameLiftApi {
  const { fleet, ledger, requests } = service;
  const api: GameLiftApi = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get sessions() {
      return [...fleet.sessions.values()];
    },
    get placements() {
      return [...fleet.placements.values()];
    },
    get freeProcesses() {
      return fleet.free;
    },
    tally: ledger.tally,
    count: (operation) => requests.filter((request) => request.operation === operation).length,
    addProcesses(count) {
      fleet.free += count;
      fleet.place();
    },
    setFault(fault) {
      service.faultOf = typeof fault === "function" ? fault : () => fault;
    },
    waitFor: (predicate, timeout = 5000, what = String(predicate)) =>
      waiters.waitFor(() => predicate(api), timeout, what),
    async [Symbol.asyncDispose]() {
      waiters.abandon("the stand-in was stopped");
      server.closeAllConnections();
      server.close();
    },
  };
  return api;
}

function failBy(fault: GameLiftFault | undefined): void {
  if (fault === "hang" || fault === "cut" || fault === "down") {
    throw new ServiceError("InternalServiceException", "the stand-in was told to fail", 500);
  }
  if (typeof fault === "object") {
    throw new ServiceError(fault.error, "the stand-in was told to refuse", fault.status);
  }
}
