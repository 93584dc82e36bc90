import {
  agones,
  allocate,
  startSession,
  type AllocatedServer,
  type BackendSession,
  type Provider,
} from "colyseus-otel/backend";
import { mintTicket, verifyTicket } from "../../example-server/tickets.ts";
import type { GameAddress, LoginRequest, Match, Pass } from "./protocol.ts";
import type { Tracing } from "./tracing.ts";

/** What the login service and the matchmaker do, whatever carries it. */
export interface Lobby extends AsyncDisposable {
  login(request: LoginRequest): Pass;
  /** @throws ServerError 401 for a ticket that is not ours; AllocationError when there is no server */
  match(pass: Pass, signal: AbortSignal): Promise<Match>;
}

/** @param allocator `host:port` of the allocation service; undefined where there is none */
export function openLobby(tracing: Tracing, allocator: string | undefined): Lobby {
  const sessions = new Map<string, BackendSession>();
  const provider = allocator
    ? agones({ endpoint: allocator, fleet: "arena", tracerProvider: tracing.matchmaker })
    : undefined;
  let game: GameAddress | undefined;
  return {
    login({ player, version, platform }) {
      const session = startSession({
        playerId: player,
        authMethod: "password",
        clientVersion: version,
        platform,
        tracerProvider: tracing.login,
      });
      sessions.set(player, session);
      return { ticket: mintTicket({ playerId: player, expires: Date.now() + 60_000 }), session: session.carrier };
    },
    async match({ ticket, session }, signal) {
      const { playerId } = verifyTicket(ticket);
      const waiting = sessions.get(playerId)?.phase("matchmaking", { "game.mode": MODE });
      try {
        // Later players go where the first one plays.
        game ??= provider && (await allocateGame(provider, session, signal));
        // From here on the game server has the session: it is no more than its token.
        sessions.delete(playerId);
        return { server: game };
      } finally {
        waiting?.end(game && { lobbyId: game.name });
      }
    },
    [Symbol.asyncDispose]: async () => provider?.close(),
  };
}

const MODE = "free_for_all";

async function allocateGame(provider: Provider, player: Pass["session"], signal: AbortSignal): Promise<GameAddress> {
  const server = await allocate({ provider, mode: MODE, region: "local", players: [player], deadline: 10_000, signal });
  return { name: server.name, url: urlOf(server), attempts: server.attempts };
}

function urlOf({ name, address, port }: AllocatedServer): string {
  if (port === undefined) throw new Error(`${name} was allocated, and has no port`);
  return `ws://${address}:${port}`;
}
