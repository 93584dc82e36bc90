import { ERROR_TYPES } from "../../conventions.ts";
import { describe } from "../../internal/report.ts";
import type { Found } from "../provider.ts";
import type { AllocateResponse } from "./protocol.ts";
import {
  CHOSEN_CHANGED,
  contention,
  failed,
  late,
  NONE_READY,
  noneReady,
  TLS_REFUSED,
  tooMany,
  type Refused,
} from "./refusal.ts";

/** gRPC status codes. The package itself is loaded later. */
const [CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, UNAVAILABLE] = [1, 4, 8, 10, 14];

/** Undefined where nothing was allocated: with `http-unallocated-status-code` 200 the refusal is an empty response. */
export function serverOf(response: AllocateResponse): Found | undefined {
  const { gameServerName: name, address, ports, addresses, nodeName: node, source, metadata } = response;
  if (name === "") {
    return undefined;
  }
  const { labels = {}, annotations = {} } = metadata ?? {};
  return { name, address, port: ports[0]?.port, ports, addresses, node, source, labels, annotations };
}

/** Reads the error of a call. */
export function refusedBy(error: unknown): Refused {
  const { code, message } = statusOf(error);
  if (message.includes(NONE_READY)) {
    return noneReady(error);
  }
  if (code === RESOURCE_EXHAUSTED) {
    return tooMany(message, error);
  }
  if (code === ABORTED || message.includes(CHOSEN_CHANGED)) {
    return contention(message, error);
  }
  if (code === DEADLINE_EXCEEDED) {
    return late(message, error);
  }
  if (code === UNAVAILABLE && TLS_REFUSED.test(message)) {
    return failed(ERROR_TYPES.tlsRefused, message, error);
  }
  // A service that shuts down cancels what it has not answered.
  const away = code === UNAVAILABLE || code === CANCELLED;
  return failed(away ? ERROR_TYPES.unavailable : ERROR_TYPES.refused, message, error);
}

/** After these the channel is not to be trusted; any other code is an answer. */
export function isBroken(error: unknown): boolean {
  const { code } = statusOf(error);
  return code === UNAVAILABLE || code === CANCELLED || code === DEADLINE_EXCEEDED;
}

function statusOf(error: unknown): { readonly code: unknown; readonly message: string } {
  const { code, details } = (error ?? {}) as { code?: unknown; details?: unknown };
  const message = typeof details === "string" ? details : describe(error);
  return { code, message: message.replaceAll(/\s+/g, " ").replace(/\. Resolution note: $/, "") };
}
