import { refusedBy, serverOf } from "./answer.ts";
import { createConnection } from "./connection.ts";
import type { AgonesTls } from "./options.ts";
import type { AllocateRequest } from "./protocol.ts";
import { noneReady } from "./refusal.ts";
import type { AgonesRequest, Way } from "./way.ts";

/** By the allocation service over gRPC. It lets nobody watch the servers. */
export function byService(endpoint: string, tls: AgonesTls | undefined): Way {
  const connection = createConnection(endpoint, tls);
  return {
    async call(request, left, signal) {
      return serverOf(await connection.call(toMessage(request), left, signal)) ?? noneReady();
    },
    refusedBy,
    close: connection.close,
  };
}

function toMessage({ namespace, selectors, labels, annotations }: AgonesRequest): AllocateRequest {
  return {
    namespace,
    gameServerSelectors: selectors.map(({ matchLabels = {}, state }) => ({
      matchLabels,
      gameServerState: state === "Allocated" ? "ALLOCATED" : "READY",
    })),
    metadata: { labels, annotations },
  };
}
