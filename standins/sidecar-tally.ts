export type SdkMethod =
  | "ready"
  | "allocate"
  | "shutdown"
  | "reserve"
  | "health"
  | "getGameServer"
  | "watchGameServer"
  | "setLabel"
  | "setAnnotation";

export type SidecarCalls = Partial<Record<SdkMethod, number>>;

export type Transport = "grpc" | "http";

export interface SidecarCall {
  readonly method: SdkMethod;
  readonly transport: Transport;
  /** In milliseconds since 1970 with a fraction. */
  readonly at: number;
}

/** What came in so far. */
export interface SidecarTally {
  /** How often each method was called; `health` counts pings. */
  readonly calls: Readonly<SidecarCalls>;
  readonly callsOver: Readonly<Record<Transport, Readonly<SidecarCalls>>>;
  /** When each ping of health came, in milliseconds since 1970 with a fraction. */
  readonly pings: readonly number[];
}

export function createTally(): SidecarTally & { count(call: SidecarCall): void } {
  const calls: SidecarCalls = {};
  const callsOver: Record<Transport, SidecarCalls> = { grpc: {}, http: {} };
  const pings: number[] = [];
  return {
    calls,
    callsOver,
    pings,
    count: ({ method, transport, at }: SidecarCall): void => {
      for (const counts of [calls, callsOver[transport]]) counts[method] = (counts[method] ?? 0) + 1;
      if (method === "health") pings.push(at);
    },
  };
}
