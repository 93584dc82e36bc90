import { SERVICES } from "./expected-span.ts";
import { OF_ITS_OWN } from "./game.ts";
import type { Say } from "./narrator.ts";
import { startProcess } from "./processes.ts";

/** Forks the lobby's server, and resolves with its `ws://host:port`. No orchestrator: a lobby is simply there. */
export async function startLobby(
  stack: AsyncDisposableStack,
  env: Readonly<Record<string, string>>,
  say: Say,
): Promise<string> {
  const own = { LOBBY_PORT: "0", OTEL_SERVICE_NAME: SERVICES.lobby };
  const file = "../example-server/lobby/server.ts";
  const lobby = stack.use(startProcess({ file, name: "the lobby", env: { ...OF_ITS_OWN, ...own, ...env } }));
  type Listening = { readonly type: "lobby:listening"; readonly port: number };
  const { port } = await lobby.heard<Listening>("lobby:listening", 15_000);
  say("lobby", `process ${lobby.pid} listens on port ${port}`);
  return `ws://127.0.0.1:${port}`;
}
