import type {
  AllocationFault,
  AllocationState,
  Decision,
  GameAddress,
  Registered,
  RegisteredServer,
} from "./allocation-answers.ts";
import { candidate, decide } from "./allocation-answers.ts";
import type { AllocationRequest } from "./allocation-protocol.ts";
import type { Waiters } from "./waiters.ts";
import { createWaiters } from "./waiters.ts";

export type AllocationTally = Readonly<Record<AllocationState, number>>;

export type ServerStart = "warm" | "cold" | "reused";

/** All the requests of one match for a server, told apart by what they ask for and since when. */
export interface Provisioning {
  readonly labels: Readonly<Record<string, string>>;
  /** How its requests came out, in their order. */
  readonly states: readonly AllocationState[];
  /** Of the server it got: had been allocated before, was there at the first request, or came later. */
  readonly start: ServerStart | undefined;
}

type FaultOf = (request: AllocationRequest) => AllocationFault | undefined;

/** What the stand-ins of both ways to the allocator offer: servers, faults, and a count of their own. */
export interface AllocationBooks {
  readonly requests: readonly AllocationRequest[];
  /** Requests that the client gave up before they were answered. */
  cancelled(): number;
  tally(): AllocationTally;
  provisionings(): readonly Provisioning[];
  /** Of the servers that were allocated and answered. */
  starts(): Readonly<Record<ServerStart, number>>;
  /** From now on this server can be allocated. */
  register(server: RegisteredServer, address?: GameAddress): void;
  /** What goes wrong from now on, for all requests or by request; undefined for nothing. */
  setFault(fault?: AllocationFault | FaultOf): void;
}

/** The half of it that the stand-in itself uses. */
export interface OpenBooks extends AllocationBooks {
  readonly registered: readonly Registered[];
  readonly waiters: Waiters;
  enter(request: AllocationRequest): Decision;
  gaveUp(): void;
}

export function openBooks(registering: (one: Registered) => void = () => {}): OpenBooks {
  const registered: Registered[] = [];
  const requests: AllocationRequest[] = [];
  const counts = { Allocated: 0, UnAllocated: 0, Contention: 0, Quota: 0, Refused: 0, Unanswered: 0 };
  const provisionings = new Map<string, Entry>();
  const waiters = createWaiters(() => JSON.stringify(counts));
  let cancelled = 0;
  let faultOf: FaultOf = () => undefined;
  return {
    registered,
    requests,
    waiters,
    enter(request) {
      requests.push(request);
      const entry = entryOf(provisionings, request, registered);
      const before = candidate(request, registered)?.server.gameServer();
      const decision = decide(request, faultOf(request), registered);
      counts[decision.state] += 1;
      entry.states.push(decision.state);
      if (decision.response) {
        // Agones' own mark, that it was allocated before.
        const reused = before?.annotations["agones.dev/last-allocated"] !== undefined;
        entry.start = reused ? "reused" : entry.thereAtFirst ? "warm" : "cold";
      }
      return decision;
    },
    gaveUp() {
      cancelled += 1;
      waiters.changed();
    },
    cancelled: () => cancelled,
    tally: () => ({ ...counts }),
    provisionings: () => [...provisionings.values()],
    starts() {
      const starts = { warm: 0, cold: 0, reused: 0 };
      for (const { start } of provisionings.values()) {
        if (start) starts[start] += 1;
      }
      return starts;
    },
    register(server, { port = 7777, node = "node-1" } = {}) {
      const one = { server, port, node };
      registered.push(one);
      registering(one);
    },
    setFault: (fault) => {
      faultOf = typeof fault === "function" ? fault : () => fault;
    },
  };
}

interface Entry extends Provisioning {
  readonly states: AllocationState[];
  readonly thereAtFirst: boolean;
  start: ServerStart | undefined;
}

function entryOf(
  provisionings: Map<string, Entry>,
  request: AllocationRequest,
  registered: readonly Registered[],
): Entry {
  const { labels = {}, annotations = {} } = request.metadata ?? {};
  // Each call has a context of its own.
  const { traceparent: _, tracestate: __, ...same } = annotations;
  const key = JSON.stringify([labels, same, request.gameServerSelectors]);
  let entry = provisionings.get(key);
  if (!entry) {
    entry = { labels, states: [], start: undefined, thereAtFirst: candidate(request, registered) !== undefined };
    provisionings.set(key, entry);
  }
  return entry;
}
