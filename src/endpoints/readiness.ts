import { isServing, type ServerState } from "../boot/status.ts";

/** What the probes are answered from. */
export interface Health {
  readonly state: ServerState;
  /** Epoch milliseconds at which the state began. */
  readonly since: number;
  readonly reason: string | undefined;
  readonly phases: Readonly<Record<string, number>>;
}

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a Kubernetes probe (or an operator with curl) is told; undefined for a path that is no probe. `now` in epoch ms. */
export function answerProbe(path: string, health: Health, now: number): Answer | undefined {
  switch (path) {
    case "/livez":
      // The event loop turned to answer: that is all that a restart could mend.
      return { status: 200, body: { state: health.state } };
    case "/startupz":
      return { status: health.state === "starting" ? 503 : 200, body: describe(health, now) };
    case "/readyz":
      return { status: isServing(health) ? 200 : 503, body: describe(health, now) };
    default:
      return undefined;
  }
}

function describe({ state, since, reason, phases }: Health, now: number): Record<string, unknown> {
  return {
    state,
    seconds: rounded((now - since) / 1000),
    ...(reason !== undefined && { reason }),
    boot: Object.fromEntries(Object.entries(phases).map(([phase, seconds]) => [phase, rounded(seconds)])),
  };
}

function rounded(seconds: number): number {
  return Math.round(Math.max(0, seconds) * 1000) / 1000;
}
