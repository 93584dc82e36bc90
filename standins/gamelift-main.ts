// Both sides of GameLift, as gamelift.ts has them, as a process of its own.
import { startGameLiftService } from "./gamelift.ts";

/** What the process tells: where it listens for game servers and for matchmakers; that an allocation found no server, the first time. */
export type GameLiftReport =
  | { readonly type: "gamelift:listening"; readonly url: string; readonly token: string; readonly endpoint: string }
  | { readonly type: "gamelift:unallocated" };

function tell(report: GameLiftReport): void {
  process.send?.(report);
}

const LONGEST_TIMER = 2 ** 31 - 1;

process.once("disconnect", () => process.exit());

const service = await startGameLiftService();
const { api, socket } = service;
api
  .waitFor(({ count, sessions }) => count("CreateGameSession") > sessions.length, LONGEST_TIMER)
  .then(
    () => tell({ type: "gamelift:unallocated" }),
    () => {},
  );
process.once("SIGTERM", () => void service[Symbol.asyncDispose]().then(() => process.exit(0)));
const [token = ""] = socket.tokens;
tell({ type: "gamelift:listening", url: socket.url, token, endpoint: api.endpoint });
