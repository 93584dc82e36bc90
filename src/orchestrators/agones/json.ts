import type { GameServer } from "./sidecar.ts";

type Json = Readonly<Record<string, unknown>>;

/** Reads a GameServer as the sidecar's HTTP port writes it: protobuf's own names. Never throws: what is no GameServer is left out. */
export function gameServerOf(json: unknown): GameServer {
  const { object_meta: objectMeta, spec, status } = objectOf(json) ?? {};
  const meta = objectOf(objectMeta);
  const health = objectOf(objectOf(spec)?.["health"]);
  const state = objectOf(status);
  return {
    ...(meta && {
      objectMeta: {
        name: text(meta["name"]),
        namespace: text(meta["namespace"]),
        uid: text(meta["uid"]),
        resourceVersion: text(meta["resource_version"]),
        annotationsMap: pairs(meta["annotations"]),
        labelsMap: pairs(meta["labels"]),
      },
    }),
    ...(health && {
      spec: {
        health: {
          disabled: health["disabled"] === true,
          periodSeconds: integer(health["period_seconds"]),
          failureThreshold: integer(health["failure_threshold"]),
          initialDelaySeconds: integer(health["initial_delay_seconds"]),
        },
      },
    }),
    ...(state && {
      status: {
        state: text(state["state"]),
        address: text(state["address"]),
        portsList: (Array.isArray(state["ports"]) ? state["ports"] : []).map((port: unknown) => ({
          name: text(objectOf(port)?.["name"]),
          port: integer(objectOf(port)?.["port"]),
        })),
      },
    }),
  };
}

function objectOf(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function integer(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : 0;
}

function pairs(value: unknown): [string, string][] {
  return Object.entries(objectOf(value) ?? {})
    .map(([key, one]): [string, string] => [key, text(one)])
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}
