// Stands in for Agones' allocation service (agones-allocator) over gRPC; checked by reading agones-dev/agones 676cc64
// (1.60, on the way to 1.61): proto/allocation/allocation.proto, cmd/allocator/main.go, pkg/allocation/converters and
// pkg/gameserverallocations/allocator.go. Left out: its batches of 500 ms, the order of its choice, its validation of
// labels, REST, several clusters; a client certificate that it does not know is hung up on instead of told so.
import type {
  AllocationFault,
  AllocationTally,
  GameAddress,
  Registered,
  RegisteredServer,
} from "./allocation-answers.ts";
import { decide } from "./allocation-answers.ts";
import type { AllocationRequest, AnswerCall, ServerTls } from "./allocation-protocol.ts";
import { serve } from "./allocation-protocol.ts";
import { createWaiters } from "./waiters.ts";

export type { AllocationFault, AllocationTally } from "./allocation-answers.ts";
export type { AllocationRequest } from "./allocation-protocol.ts";

export interface AllocationServiceOptions {
  /** @default 0: a free one, to be read from the handle */
  readonly port?: number;
  /** @default plaintext, as with --disable-tls */
  readonly tls?: ServerTls;
}

export interface AllocationService extends AsyncDisposable {
  readonly port: number;
  /** `host:port` */
  readonly endpoint: string;
  readonly requests: readonly AllocationRequest[];
  /** Requests that the client gave up before they were answered. */
  cancelled(): number;
  tally(): AllocationTally;
  /** From now on this server can be allocated. */
  register(server: RegisteredServer, address?: GameAddress): void;
  /** What goes wrong from now on, for all requests or by request; undefined for nothing. */
  setFault(fault?: AllocationFault | ((request: AllocationRequest) => AllocationFault | undefined)): void;
  /** @param timeout in milliseconds, default 5,000 @throws Error that says what was waited for */
  waitFor(predicate: (service: AllocationService) => boolean, timeout?: number, what?: string): Promise<void>;
  /** Drops every connection and answers nobody, as its death does. Servers and tally are kept. */
  stop(): Promise<void>;
  /** Comes back on the same port. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** @throws Error when the port is taken */
export async function startAllocationService({
  port: wanted = 0,
  tls,
}: AllocationServiceOptions = {}): Promise<AllocationService> {
  const host = createHost();
  let server = await serve(tls, wanted, host.answer);
  const { port } = server;
  const stop = (): Promise<void> => {
    server.forceShutdown();
    return Promise.resolve();
  };
  const close = (): Promise<void> => {
    host.waiters.abandon("the allocation service was closed");
    return stop();
  };
  const service: AllocationService = {
    port,
    endpoint: `127.0.0.1:${port}`,
    requests: host.requests,
    cancelled: host.cancelled,
    tally: host.tally,
    register: host.register,
    setFault: host.setFault,
    waitFor: (predicate, timeout = 5_000, what = "the allocation service") =>
      host.waiters.waitFor(() => predicate(service), timeout, what),
    stop,
    start: async () => {
      server = await serve(tls, port, host.answer);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  return service;
}

function createHost() {
  const registered: Registered[] = [];
  const requests: AllocationRequest[] = [];
  const counts = { Allocated: 0, UnAllocated: 0, Contention: 0, Refused: 0, Unanswered: 0 };
  const waiters = createWaiters(() => JSON.stringify(counts));
  let cancelled = 0;
  let faultOf: (request: AllocationRequest) => AllocationFault | undefined = () => undefined;
  const answer: AnswerCall = (call, send) => {
    requests.push(call.request);
    const { state, response, error } = decide(call.request, faultOf(call.request), registered);
    counts[state] += 1;
    // grpc-js says "cancelled" at the end of every call, of answered ones too.
    call.on("cancelled", () => {
      cancelled += state === "Unanswered" ? 1 : 0;
      waiters.changed();
    });
    if (error) send(error);
    else if (response) send(null, response);
    waiters.changed();
  };
  return {
    requests,
    waiters,
    answer,
    cancelled: () => cancelled,
    tally: (): AllocationTally => ({ ...counts }),
    register: (server: RegisteredServer, { port = 7777, node = "node-1" }: GameAddress = {}): void =>
      void registered.push({ server, port, node }),
    setFault: (fault?: AllocationFault | typeof faultOf): void => {
      faultOf = typeof fault === "function" ? fault : () => fault;
    },
  };
}
