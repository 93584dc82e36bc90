import { json } from "node:stream/consumers";
import { firstOf } from "../../patience.ts";
import type { KubeConfigLike } from "../options.ts";
import type { Way } from "../way.ts";
import { allocationOf, answerOf, refusedBy } from "./allocation.ts";
import { createApi, unanswered } from "./api.ts";
import { createWatcher } from "./watch.ts";

/** By the Kubernetes API: allocations are posted, and while no server is Ready the GameServers are watched. */
export function byKubernetes(kubernetes: true | KubeConfigLike, namespace: string): Way {
  const api = createApi(kubernetes);
  const path = `/apis/allocation.agones.dev/v1/namespaces/${encodeURIComponent(namespace)}/gameserverallocations`;
  return {
    async call(request, left, signal) {
      const { signal: either, abort, letGo } = firstOf([signal]);
      const timer = setTimeout(() => abort(new DOMException("the deadline", "TimeoutError")), left());
      try {
        const response = await api.request(path, either, allocationOf(request));
        return answerOf(await json(response).catch((error: unknown) => Promise.reject(unanswered(error, either))));
      } finally {
        clearTimeout(timer);
        letGo();
      }
    },
    refusedBy,
    watch: createWatcher({ api, namespace }),
    // Nothing is kept open between calls: the KubeConfig's agent keeps no connection.
    close() {},
  };
}
