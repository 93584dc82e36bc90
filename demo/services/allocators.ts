import { CreatePlayerSessionsCommand, GameLiftClient } from "@aws-sdk/client-gamelift";
import { agones, gamelift, gameLiftPlayerData, type Provider } from "colyseus-otel/backend";
import type { Pass } from "./protocol.ts";
import type { Tracing } from "./tracing.ts";

/** Who has game servers. */
export interface Allocator extends AsyncDisposable {
  readonly provider: Provider;
  /** Where seats are kept: reserves one, and resolves with what the player shows for it. */
  reserve?(server: string, player: string, session: Pass["session"]): Promise<string | undefined>;
}

/** Undefined where there is none. */
export function allocatorOf(env: NodeJS.ProcessEnv, tracing: Tracing): Allocator | undefined {
  const { AGONES_ALLOCATOR, GAMELIFT_ENDPOINT } = env;
  if (AGONES_ALLOCATOR) return allocatorOnAgones(AGONES_ALLOCATOR, tracing);
  return GAMELIFT_ENDPOINT ? allocatorOnGameLift(GAMELIFT_ENDPOINT, tracing) : undefined;
}

/** @param endpoint `host:port` of the allocation service */
export function allocatorOnAgones(endpoint: string, { matchmaker }: Tracing): Allocator {
  const provider = agones({ endpoint, fleet: "arena", tracerProvider: matchmaker });
  return { provider, [Symbol.asyncDispose]: async () => provider.close() };
}

/** @param endpoint `http://host:port` of the AWS API */
function allocatorOnGameLift(endpoint: string, { matchmaker }: Tracing): Allocator {
  const credentials = { accessKeyId: "stand-in", secretAccessKey: "stand-in" };
  const requestHandler = { requestTimeout: 5_000, throwOnRequestTimeout: true };
  const client = new GameLiftClient({ region: "eu-west-1", endpoint, credentials, requestHandler });
  // AWS would have the matchmaker ask more rarely; the demo waits for it.
  const poll = { first: 100, longest: 500 };
  const provider = gamelift({ client, fleetId: "fleet-1", maximumPlayers: 4, poll, tracerProvider: matchmaker });
  return {
    provider,
    async reserve(GameSessionId, player, session) {
      const data = gameLiftPlayerData(session);
      const PlayerDataMap = data === undefined ? {} : { [player]: data };
      const command = new CreatePlayerSessionsCommand({ GameSessionId, PlayerIds: [player], PlayerDataMap });
      return (await client.send(command)).PlayerSessions?.[0]?.PlayerSessionId;
    },
    async [Symbol.asyncDispose]() {
      await provider.close();
      client.destroy();
    },
  };
}
