import { randomUUID } from "node:crypto";

/** The states of Agones' pkg/apis/agones/v1/gameserver.go that a sidecar can be asked about. */
export type GameServerState =
  | "Scheduled"
  | "RequestReady"
  | "Ready"
  | "Reserved"
  | "Allocated"
  | "Shutdown"
  | "Unhealthy"
  | "Error";

/** `spec.health`, in whole seconds. */
export interface Health {
  readonly disabled: boolean;
  readonly periodSeconds: number;
  readonly failureThreshold: number;
  readonly initialDelaySeconds: number;
}

/** What the sidecar holds of the GameServer resource. Never changed: an update makes a new one. */
export interface GameServer {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: number;
  readonly createdAt: number;
  readonly health: Health;
  readonly state: GameServerState;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export interface GameServerChange {
  readonly state?: GameServerState;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What a test may choose of it. */
export interface GameServerOptions {
  /** What the game server finds at its first look. @default "Scheduled" */
  readonly state?: GameServerState;
  /** @default "arena-7xk2p" */
  readonly name?: string;
  /** Value of the label `agones.dev/fleet`. @default "arena" */
  readonly fleet?: string;
  /** @default what Agones fills in: a ping in 5 s, unhealthy after 3 missed ones, judged from 5 s on */
  readonly health?: Partial<Health>;
}

export function newGameServer({ state, name, fleet, health }: GameServerOptions): GameServer {
  return {
    name: name ?? "arena-7xk2p",
    uid: randomUUID(),
    resourceVersion: 1,
    createdAt: Date.now(),
    health: { disabled: false, periodSeconds: 5, failureThreshold: 3, initialDelaySeconds: 5, ...health },
    state: state ?? "Scheduled",
    annotations: {},
    labels: { "agones.dev/fleet": fleet ?? "arena" },
  };
}

/** Only adds and overwrites keys: neither the allocator nor the controller ever takes an annotation away. */
export function changed(server: GameServer, change: GameServerChange): GameServer {
  return {
    ...server,
    resourceVersion: server.resourceVersion + 1,
    state: change.state ?? server.state,
    annotations: { ...server.annotations, ...change.annotations },
    labels: { ...server.labels, ...change.labels },
  };
}

export interface Allocation {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Whether the change is made already: nothing that it asks for is missing. */
export function includes({ state, annotations, labels }: GameServer, change: GameServerChange): boolean {
  const has = (all: Readonly<Record<string, string>>, some: Readonly<Record<string, string>> = {}) =>
    Object.entries(some).every(([key, value]) => all[key] === value);
  return state === (change.state ?? state) && has(annotations, change.annotations) && has(labels, change.labels);
}

/** The one update of the allocator, in applyAllocationToGameServer() of pkg/gameserverallocations/allocator.go. */
export function allocation({ labels = {}, annotations = {} }: Allocation = {}): GameServerChange {
  return { labels, annotations: { ...annotations, ...lastAllocatedNow() }, state: "Allocated" };
}

/** The annotation both the allocator and the sidecar's own Allocate() write, in Go's RFC 3339 with a fraction. */
export function lastAllocatedNow(): Record<string, string> {
  const micros = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
  const seconds = new Date(Number(micros / 1000n)).toISOString().slice(0, 19);
  const fraction = String(micros % 1_000_000n).padStart(6, "0");
  return { "agones.dev/last-allocated": `${seconds}.${fraction}Z` };
}
