import type { MeterProvider, TracerProvider } from "@opentelemetry/api";
import { createTeller, type SearchingTeller } from "../telling/teller.ts";
import type { Step } from "../telling/step.ts";
import type { AllocationOutcome } from "./allocation-error.ts";

/** Where servers come from. Whoever made it closes it; `await using` does. */
export interface Provider extends AsyncDisposable {
  readonly name: string;
  /** Ends the allocations that are under way as aborted, then the connection. Never rejects. */
  close(): Promise<void>;
}

export interface ServerPort {
  readonly name: string;
  readonly port: number;
}

/** A server that is this match's alone. */
export interface AllocatedServer {
  /** Of the GameServer; of a GameLift session its ARN. */
  readonly name: string;
  readonly address: string;
  /** The first of `ports`; undefined where the server has none. */
  readonly port: number | undefined;
  readonly ports: readonly ServerPort[];
  /** All that it has, by type: ExternalIP, InternalIP, Hostname. */
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
  readonly node: string;
  /** Agones says `local`, GameLift the location. */
  readonly source: string;
  /** Of the GameServer, after the allocation. A GameLift session has none, and its GameProperties as `annotations`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Calls that it took: more than one says that none was Ready at first, or that the service was away. */
  readonly attempts: number;
  /** It was Ready when it was asked for, was waited for, or had a match before. */
  readonly start: "warm" | "cold" | "reused";
}

/** A server as the orchestrator describes it. */
export type Found = Omit<AllocatedServer, "attempts" | "start">;

/** The match that a server is for. */
export interface Wanted {
  readonly region: string | undefined;
  readonly mode: string | undefined;
}

export interface AllocationRequest extends Wanted {
  /** Epoch milliseconds. */
  readonly requestedAt: number;
  readonly players: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** How one call of the orchestrator came out. */
export type Answer = Had | Refusal;

export interface Had {
  readonly server: Found;
  /** It had a match before. */
  readonly reused: boolean;
}

export interface Refusal {
  /** What the allocation comes to when this stays the last word. */
  readonly outcome: AllocationOutcome;
  /** Whether asking again may help. */
  readonly again: boolean;
  readonly message: string;
  readonly cause: unknown;
  /** The orchestrator's word for it. */
  readonly state?: string | undefined;
  /** Milliseconds for which it asked to be left alone. */
  readonly retryAfter?: number | undefined;
}

/** A server that a watch has seen for the first time, or in another state. */
export interface Seen {
  readonly name: string;
  readonly state: string;
  /** It can be had now. */
  readonly ready: boolean;
}

/** What goes on among the servers that an allocation may have. */
export interface ServerWatch {
  /** Whether it shows that none can be had: until that changes a call is of no use. */
  readonly quiet: boolean;
  close(): void;
}

export type WatchServers = (request: AllocationRequest, saw: (seen: Seen) => void) => ServerWatch;

export interface Attempt {
  readonly request: AllocationRequest;
  readonly teller: SearchingTeller;
  /** `provision.allocate_server`. */
  readonly parent: Step;
  readonly signal: AbortSignal;
  /** Milliseconds until the deadline. */
  left(): number;
}

/** The half of a provider that `allocate()` sees. */
export interface ProviderCore {
  readonly teller: SearchingTeller;
  readonly closing: AbortSignal;
  /** Allocations under way. */
  readonly running: Set<Promise<unknown>>;
  /** Throws TypeError for what this provider cannot do, before anything is asked. */
  check?(request: AllocationRequest): void;
  /** One call; rejects only by our own fault. */
  ask(attempt: Attempt): Promise<Answer>;
  /** Where the orchestrator lets its servers be watched. */
  readonly watch?: WatchServers | undefined;
  /** The allocation has its server, or is given up. */
  ended?(request: AllocationRequest): void;
}

interface ProviderParts extends Pick<ProviderCore, "check" | "ask" | "watch" | "ended"> {
  readonly name: string;
  readonly tracerProvider: TracerProvider | undefined;
  readonly meterProvider: MeterProvider | undefined;
  disconnect(): void | Promise<void>;
}

const cores = new WeakMap<object, ProviderCore>();

/** Undefined for an object that is no provider of ours. */
export function coreOf(provider: unknown): ProviderCore | undefined {
  return typeof provider === "object" && provider !== null ? cores.get(provider) : undefined;
}

export function createProvider(parts: ProviderParts): Provider {
  const { name, tracerProvider, meterProvider, disconnect, ...asking } = parts;
  const teller = createTeller({ tracerProvider, meterProvider, readings: new Map() });
  // As with any instrumentation: what happens before there is an SDK is not told.
  teller.giveUp();
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  const close = async () => {
    closing.abort(new Error(`the provider ${name} was closed`));
    await Promise.allSettled(running);
    await disconnect();
  };
  const provider: Provider = { name, close, [Symbol.asyncDispose]: close };
  cores.set(provider, { teller, closing: closing.signal, running, ...asking });
  return provider;
}
