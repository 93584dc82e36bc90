import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES } from "../../conventions.ts";
import type { GameServer } from "./sidecar.ts";

/** Written by the allocator in the one update that also sets the state and the annotations. */
export const LAST_ALLOCATED = "agones.dev/last-allocated";
const FLEET = "agones.dev/fleet";

/** Transitions may be missed (agones-dev/agones#2451), so a later state counts as well. */
const READY_OR_LATER = new Set(["Ready", "Reserved", "Allocated"]);
const TERMINAL = new Set(["Shutdown", "Error", "Unhealthy"]);

export function stateOf(gameServer: GameServer | undefined): string {
  return gameServer?.status?.state ?? "";
}

export function isReadyOrLater(gameServer: GameServer): boolean {
  return READY_OR_LATER.has(stateOf(gameServer));
}

export function isTerminal(gameServer: GameServer): boolean {
  return TERMINAL.has(stateOf(gameServer));
}

/** Nothing is left to wait for Ready for. */
export function isDecided(gameServer: GameServer): boolean {
  return isReadyOrLater(gameServer) || isTerminal(gameServer);
}

/** Ready() has been heard, or more than that. */
export function isReadyRequested(gameServer: GameServer): boolean {
  return isReadyOrLater(gameServer) || stateOf(gameServer) === "RequestReady";
}

export function annotationsOf(gameServer: GameServer): Record<string, string> {
  return Object.fromEntries(gameServer.objectMeta?.annotationsMap ?? []);
}

/** Versions are numbers in every cluster there is; where they are none, messages count as they come. */
export function isOlder(gameServer: GameServer, than: GameServer | undefined): boolean {
  return versionOf(gameServer) < versionOf(than);
}

/** How long Agones waits for a health ping. Milliseconds. */
export interface HealthBudget {
  readonly period: number;
  readonly total: number;
  /** For messages: where the numbers stand. */
  readonly origin: string;
}

/** Undefined where health is not checked. */
export function healthBudget(gameServer: GameServer | undefined): HealthBudget | undefined {
  const { disabled, periodSeconds = 0, failureThreshold = 0 } = gameServer?.spec?.health ?? {};
  return disabled || periodSeconds <= 0 || failureThreshold <= 0
    ? undefined
    : {
        period: periodSeconds * 1000,
        total: periodSeconds * failureThreshold * 1000,
        origin: `the Fleet's health.periodSeconds ${periodSeconds} x failureThreshold ${failureThreshold}`,
      };
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

function versionOf(gameServer: GameServer | undefined): number {
  return Number.parseInt(gameServer?.objectMeta?.resourceVersion ?? "", 10);
}
