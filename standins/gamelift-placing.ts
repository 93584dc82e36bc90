import type { HostedSession, Session } from "./gamelift-hosted.ts";
import type { Input } from "./gamelift-input.ts";

export type PlacementStatus = "PENDING" | "FULFILLED" | "CANCELLED" | "TIMED_OUT" | "FAILED";

export interface Placement {
  readonly id: string;
  readonly status: PlacementStatus;
  readonly session: HostedSession | undefined;
  /** Its queue's time-out. */
  timeOut(): void;
  /** By somebody else. */
  cancel(): void;
}

/** As the service keeps it. */
export interface Placing extends Placement {
  status: PlacementStatus;
  session: Session | undefined;
  readonly input: Input;
}

export function newPlacement(id: string, input: Input, changed: () => void): Placing {
  const become = (status: PlacementStatus) => {
    if (placing.status === "PENDING") {
      placing.status = status;
      placing.session?.end("TERMINATED");
      changed();
    }
  };
  const placing: Placing = {
    id,
    input,
    status: "PENDING",
    session: undefined,
    timeOut: () => become("TIMED_OUT"),
    cancel: () => become("CANCELLED"),
  };
  return placing;
}

/** What became of its game session. */
export function settle(placing: Placing): void {
  const status = placing.session?.status;
  if (placing.status === "PENDING" && status !== undefined && status !== "ACTIVATING") {
    placing.status = status === "ACTIVE" ? "FULFILLED" : "FAILED";
  }
}

export function describePlacement({ id, status, input, session }: Placing): object {
  return {
    ...(session && { ...session.describe(), GameSessionRegion: "eu-west-1", Location: undefined }),
    PlacementId: id,
    GameSessionQueueName: input["GameSessionQueueName"],
    Status: status,
    GameProperties: input["GameProperties"],
  };
}
