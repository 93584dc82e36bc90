import { startAgones } from "./agones.ts";
import { startGameLift } from "./gamelift.ts";
import type { Say } from "./narrator.ts";
import type { OrchestratorName } from "./options.ts";
import type { Orchestration } from "./orchestration.ts";

type Start = (stack: AsyncDisposableStack, say: Say) => Promise<Orchestration>;

export const START: Readonly<Record<OrchestratorName, Start>> = {
  agones: startAgones,
  gamelift: startGameLift,
  none: startNone,
};

async function startNone(_: AsyncDisposableStack, say: Say): Promise<Orchestration> {
  say("orchestrator", "none: the game server is simply there");
  const env = {
    ARENA_ORCHESTRATOR: "none",
    COLYSEUS_OTEL_ORCHESTRATOR: "none",
    // The shell that runs the demo may itself be in a pod of Agones.
    AGONES_SDK_GRPC_PORT: undefined,
  };
  return { env, allocator: undefined, register: () => Promise.resolve() };
}
