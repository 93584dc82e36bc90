import type { GameServer } from "./game-server.ts";

/**
 * What grpc-gateway makes of the message: names as in the proto file, int64 as strings, and fields without a value too
 * (pkg/util/runtime/runtime.go, NewServerMux). An unset message is null; an unset list or map is empty.
 */
export function toJson({ health, annotations, labels, ...server }: GameServer): object {
  return {
    object_meta: {
      name: server.name,
      namespace: "default",
      uid: server.uid,
      resource_version: String(server.resourceVersion),
      generation: String(server.resourceVersion),
      creation_timestamp: String(Math.floor(server.createdAt / 1000)),
      deletion_timestamp: "0",
      annotations,
      labels,
    },
    spec: {
      health: {
        disabled: health.disabled,
        period_seconds: health.periodSeconds,
        failure_threshold: health.failureThreshold,
        initial_delay_seconds: health.initialDelaySeconds,
      },
    },
    status: {
      state: server.state,
      address: "127.0.0.1",
      addresses: [],
      ports: [{ name: "default", port: 7777 }],
      players: null,
      counters: {},
      lists: {},
    },
  };
}
