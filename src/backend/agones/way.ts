import type { Found, ServerWatch, Seen } from "../provider.ts";
import type { GameServerSelector } from "./options.ts";
import type { Refused } from "./refusal.ts";

type StringMap = Readonly<Record<string, string>>;

/** What one allocation asks of Agones. */
export interface AgonesRequest {
  readonly namespace: string;
  /** In order of preference; none for every Ready server of the namespace. */
  readonly selectors: readonly GameServerSelector[];
  readonly labels: StringMap;
  readonly annotations: StringMap;
}

/** Two ways to the same allocator: its own service over gRPC, and the Kubernetes API. */
export interface Way {
  /**
   * One call. Rejects with the way's own error, or with the signal's reason. `left`
   * is milliseconds.
   */
  call(request: AgonesRequest, left: () => number, signal: AbortSignal): Promise<Found | Refused>;
  /** Reads the error of a call that was not aborted. */
  refusedBy(error: unknown): Refused;
  /** Tells how the servers change that the selectors may match. */
  readonly watch?: (selectors: readonly GameServerSelector[], saw: (seen: Seen) => void) => ServerWatch;
  close(): void;
}
