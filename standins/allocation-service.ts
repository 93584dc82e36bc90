// Stands in for Agones' allocation service (agones-allocator) over gRPC; checked by reading agones-dev/agones 676cc64
// (1.60, on the way to 1.61): proto/allocation/allocation.proto, cmd/allocator/main.go, pkg/allocation/converters and
// pkg/gameserverallocations/allocator.go. Left out: its batches of 500 ms, the order of its choice, its validation of
// labels, REST, several clusters; a client certificate that it does not know is hung up on instead of told so.
import type { sendUnaryData } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import type { AllocationFault, Decision } from "./allocation-answers.ts";
import { SLOW_MS } from "./allocation-answers.ts";
import type { AllocationBooks, OpenBooks } from "./allocation-books.ts";
import { openBooks } from "./allocation-books.ts";
import type { AnswerCall, ServerTls } from "./allocation-protocol.ts";
import { serve } from "./allocation-protocol.ts";

export interface AllocationServiceOptions {
  /** @default 0: a free one, to be read from the handle */
  readonly port?: number;
  /** @default plaintext, as with --disable-tls */
  readonly tls?: ServerTls;
}

export interface AllocationService extends AllocationBooks, AsyncDisposable {
  readonly port: number;
  /** `host:port` */
  readonly endpoint: string;
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
  const books = openBooks();
  const answer = answerBy(books);
  let server = await serve(tls, wanted, answer);
  const { port } = server;
  const stop = (): Promise<void> => {
    server.forceShutdown();
    return Promise.resolve();
  };
  const close = (): Promise<void> => {
    books.waiters.abandon("the allocation service was closed");
    return stop();
  };
  const service: AllocationService = {
    ...books,
    port,
    endpoint: `127.0.0.1:${port}`,
    waitFor: (predicate, timeout = 5_000, what = "the allocation service") =>
      books.waiters.waitFor(() => predicate(service), timeout, what),
    stop,
    start: async () => {
      server = await serve(tls, port, answer);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  return service;
}

function answerBy(books: OpenBooks): AnswerCall {
  return (call, send) => {
    const decision = books.enter(call.request);
    // grpc-js says "cancelled" at the end of every call, of answered ones too.
    call.on("cancelled", () => decision.state === "Unanswered" && books.gaveUp());
    if (decision.fault === "slow") setTimeout(() => answer(decision, send), SLOW_MS);
    else answer(decision, send);
    books.waiters.changed();
  };
}

function answer({ state, fault, response }: Decision, send: sendUnaryData<object>): void {
  if (response) send(null, response);
  else if (fault === "empty") send(null, {});
  else if (state !== "Unanswered") send((fault && ERRORS[fault]) ?? NONE_READY);
}

const NONE_READY = { code: status.RESOURCE_EXHAUSTED, details: "there is no available GameServer to allocate" };

const ERRORS: Partial<Record<AllocationFault, { readonly code: status; readonly details: string }>> = {
  refuse: { code: status.PERMISSION_DENIED, details: "the stand-in was told to refuse" },
  unauthorized: { code: status.UNAUTHENTICATED, details: "the stand-in knows nobody" },
  contention: { code: status.ABORTED, details: "too many concurrent requests have overwhelmed the system" },
  conflict: { code: status.UNKNOWN, details: "could not update the selected GameServer" },
  busy: { code: status.RESOURCE_EXHAUSTED, details: "too many requests" },
  quota: { code: status.RESOURCE_EXHAUSTED, details: "exceeded quota" },
  late: { code: status.DEADLINE_EXCEEDED, details: "remote allocation total timeout exceeded" },
};
