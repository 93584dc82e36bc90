import { randomUUID } from "node:crypto";
import type { GameLiftReport } from "../standins/gamelift-main.ts";
import type { Say } from "./narrator.ts";
import type { Orchestration } from "./orchestration.ts";
import { startProcess } from "./processes.ts";

/** A stand-in for both sides of Amazon GameLift: there is nothing of it to run at home. */
export async function startGameLift(stack: AsyncDisposableStack, say: Say): Promise<Orchestration> {
  const standIn = stack.use(startProcess({ file: "../standins/gamelift-main.ts", name: "the GameLift stand-in" }));
  type Ready = Extract<GameLiftReport, { type: "gamelift:listening" }>;
  const { url, token, endpoint } = await standIn.heard<Ready>("gamelift:listening", PATIENCE);
  say("gamelift", `process ${standIn.pid} stands in for Amazon GameLift on ${url}`);
  say("allocator", `the same process is the AWS API on ${endpoint}`);
  return {
    env: {
      ARENA_ORCHESTRATOR: "gamelift",
      GAMELIFT_SDK_WEBSOCKET_URL: url,
      GAMELIFT_SDK_AUTH_TOKEN: token,
      GAMELIFT_SDK_PROCESS_ID: randomUUID(),
      GAMELIFT_SDK_HOST_ID: "at-home",
      GAMELIFT_SDK_FLEET_ID: "fleet-1",
    },
    allocator: {
      env: { GAMELIFT_ENDPOINT: endpoint },
      refusal: () => standIn.heard("gamelift:unallocated", PATIENCE),
      sayAllocated: () => "a game session is ACTIVE; its game properties carry the trace context",
    },
    // The server itself says where it listens.
    register: () => Promise.resolve(),
  };
}

const PATIENCE = 10_000;
