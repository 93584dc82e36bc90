import { ERROR_TYPES } from "../../../conventions.ts";
import { show } from "../../../internal/check.ts";
import { describe } from "../../../internal/report.ts";
import type { Found } from "../../provider.ts";
import {
  CHOSEN_CHANGED,
  contention,
  failed,
  late,
  noneReady,
  refused,
  TLS_REFUSED,
  tooMany,
  type Refused,
} from "../refusal.ts";
import type { AgonesRequest } from "../way.ts";
import { ApiError } from "./api.ts";

/** A GameServerAllocation, as it is posted. */
export function allocationOf({ selectors, labels, annotations }: AgonesRequest): object {
  return {
    apiVersion: "allocation.agones.dev/v1",
    kind: "GameServerAllocation",
    spec: {
      selectors: selectors.map(({ matchLabels = {}, state = "Ready" }) => ({ matchLabels, gameServerState: state })),
      metadata: { labels, annotations },
    },
  };
}

/** Reads the answer, a GameServerAllocation with a status. */
export function answerOf(allocation: unknown): Found | Refused {
  const status = fieldsOf(fieldsOf(allocation)["status"]);
  switch (status["state"]) {
    case "Allocated":
      return serverOf(status);
    case "UnAllocated":
      return noneReady();
    case "Contention":
      return contention("too many concurrent requests have overwhelmed the system", undefined);
    default:
      return failed(ERROR_TYPES.refused, `the allocation has no state: ${show(allocation)}`, undefined);
  }
}

/** Reads the error of a call. */
export function refusedBy(error: unknown): Refused {
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return late("the Kubernetes API did not answer", error);
  }
  if (!(error instanceof ApiError)) {
    return failed(ERROR_TYPES.refused, describe(error), error);
  }
  const { status, message, retryAfter } = error;
  if (status === undefined) {
    return failed(TLS_REFUSED.test(message) ? ERROR_TYPES.tlsRefused : ERROR_TYPES.unavailable, message, error);
  }
  // Priority and fairness, or the cluster's own limit on requests.
  if (status === 429) {
    return tooMany(message, error, retryAfter);
  }
  if (status === 403 && message.includes("exceeded quota")) {
    return refused(ERROR_TYPES.quota, ERROR_TYPES.quota, message, error, { again: false });
  }
  if (status === 409 || message.includes(CHOSEN_CHANGED)) {
    return contention(message, error);
  }
  return failed(status >= 500 ? ERROR_TYPES.unavailable : ERROR_TYPES.refused, message, error, retryAfter);
}

function serverOf(status: Fields): Found {
  const metadata = fieldsOf(status["metadata"]);
  const ports = listOf(status["ports"]).map(({ name, port }) => ({ name: textOf(name), port: Number(port) }));
  return {
    name: textOf(status["gameServerName"]),
    address: textOf(status["address"]),
    port: ports[0]?.port,
    ports,
    addresses: listOf(status["addresses"]).map(({ type, address }) => ({
      type: textOf(type),
      address: textOf(address),
    })),
    node: textOf(status["nodeName"]),
    source: textOf(status["source"]),
    labels: textsOf(metadata["labels"]),
    annotations: textsOf(metadata["annotations"]),
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** What is no object has no fields: Go leaves out what is empty. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

export function textsOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([key, text]) => [key, textOf(text)]));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}
