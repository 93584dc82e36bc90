import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES } from "../../conventions.ts";
import type { GameServer } from "./sdk.ts";

/** Written by the allocator in the one update that also sets the state and the annotations. */
const LAST_ALLOCATED = "agones.dev/last-allocated";
const FLEET = "agones.dev/fleet";

/** Transitions may be missed (agones-dev/agones#2451), so a later state counts as well. */
const READY_OR_LATER = new Set(["Ready", "Reserved", "Allocated"]);
const TERMINAL = new Set(["Shutdown", "Error", "Unhealthy"]);

export function stateOf(gameServer: GameServer): string {
  return gameServer.status?.state ?? "";
}

export function isReadyOrLater(gameServer: GameServer): boolean {
  return READY_OR_LATER.has(stateOf(gameServer));
}

export function isTerminal(gameServer: GameServer): boolean {
  return TERMINAL.has(stateOf(gameServer));
}

export function annotationsOf(gameServer: GameServer): Record<string, string> {
  return Object.fromEntries(gameServer.objectMeta?.annotationsMap ?? []);
}

/**
 * Which allocation the server is in; undefined when it is in none. `agones.dev/last-allocated` tells a second allocation
 * from a repeated message; `sdk-server --local` does not write it.
 */
export function allocationKey(gameServer: GameServer): string | undefined {
  if (stateOf(gameServer) !== "Allocated") {
    return undefined;
  }
  return `${gameServer.objectMeta?.uid ?? ""}/${annotationsOf(gameServer)[LAST_ALLOCATED] ?? ""}`;
}

/** Epoch milliseconds of the allocation, by the allocator's clock. */
export function allocatedAt(gameServer: GameServer): number | undefined {
  const at = Date.parse(annotationsOf(gameServer)[LAST_ALLOCATED] ?? "");
  return Number.isNaN(at) ? undefined : at;
}

/** Who this server is, for the resource. */
export function identity({ objectMeta }: GameServer): Attributes {
  const fleet = new Map(objectMeta?.labelsMap ?? []).get(FLEET);
  return {
    ...(objectMeta?.name && { [ATTRIBUTES.agonesServer.key]: objectMeta.name }),
    ...(objectMeta?.namespace && { [ATTRIBUTES.agonesNamespace.key]: objectMeta.namespace }),
    ...(fleet && { [ATTRIBUTES.agonesFleet.key]: fleet }),
  };
}
