import {
  allocate,
  startSession,
  type AllocatedServer,
  type BackendSession,
  type Provider,
} from "colyseus-otel/backend";
import { mintTicket, verifyTicket } from "../../example-server/tickets.ts";
import type { Allocator } from "./allocators.ts";
import type { GameAddress, LoginRequest, Match, Pass } from "./protocol.ts";
import type { Tracing } from "./tracing.ts";

/** What the login service and the matchmaker do, whatever carries it. */
export interface Backend {
  login(request: LoginRequest): Pass;
  /** @throws ServerError 401 for a ticket that is not ours; AllocationError when there is no server */
  match(pass: Pass, signal: AbortSignal): Promise<Match>;
  /** The end of a session that goes by the lobby. @throws ServerError as `match` */
  logout(pass: Pass): void;
}

interface Known {
  readonly session: BackendSession;
  readonly lobby: boolean;
  /** To which it was sent. */
  matches: number;
}

/**
 * @param allocator undefined where there is none
 * @param reuse has a server allocated for every match, because servers come back; else later players go where the first
 * one plays
 */
export function openBackend(tracing: Tracing, allocator: Allocator | undefined, reuse = false): Backend {
  const players = new Map<string, Known>();
  let game: GameAddress | undefined;
  return {
    login(request) {
      const session = begin(request, tracing);
      const { player, lobby = false } = request;
      players.set(player, { session, lobby, matches: 0 });
      return { ticket: mintTicket({ playerId: player, expires: Date.now() + 60_000 }), session: session.carrier };
    },
    async match({ ticket, session }, signal) {
      const { playerId } = verifyTicket(ticket);
      const player = players.get(playerId);
      // A stay in the lobby is that phase already.
      let server: GameAddress | undefined = reuse ? undefined : game;
      const waiting = player?.lobby ? undefined : player?.session.phase("matchmaking", { "game.mode": MODE });
      try {
        server ??= allocator && (await allocateGame(allocator.provider, session, signal));
        game = server;
        const playerSession = server && (await allocator?.reserve?.(server.name, playerId, session));
        if (player?.lobby) player.matches += 1;
        // From here on the game server has the session: it is no more than its token.
        else players.delete(playerId);
        return { server: server && { ...server, playerSession } };
      } finally {
        waiting?.end(server && { lobbyId: server.name });
      }
    },
    logout({ ticket }) {
      const { playerId } = verifyTicket(ticket);
      const player = players.get(playerId);
      players.delete(playerId);
      player?.session.end("logout", { matchesPlayed: player.matches });
    },
  };
}

const MODE = "free_for_all";

function begin({ player, version, platform, lobby }: LoginRequest, { login }: Tracing): BackendSession {
  return startSession({
    playerId: player,
    authMethod: "password",
    clientVersion: version,
    platform,
    // Lobby and arena share no presence: neither of them can know which was the last.
    end: lobby ? "service" : "server",
    tracerProvider: login,
  });
}

async function allocateGame(provider: Provider, player: Pass["session"], signal: AbortSignal): Promise<GameAddress> {
  const server = await allocate({ provider, mode: MODE, region: "local", players: [player], signal });
  return { name: server.name, url: urlOf(server), attempts: server.attempts };
}

function urlOf({ name, address, port }: AllocatedServer): string {
  if (port === undefined) throw new Error(`${name} was allocated, and has no port`);
  return `ws://${address}:${port}`;
}
