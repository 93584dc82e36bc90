import { GameLiftClient, type GameLiftClientConfig } from "@aws-sdk/client-gamelift";
import { gamelift, type GameLiftProviderOptions, type Provider } from "colyseus-otel/backend";
import { startGameLiftApi, type GameLiftApi, type GameLiftApiOptions } from "../standins/gamelift-api.ts";
import { watchSpans } from "./_provisioning.ts";
import { until } from "./_server.ts";
import { recordTelemetry, type RecordingTelemetry } from "./_telemetry.ts";

/** GameLift with the real AWS client before it, and a provider before that. */
export interface GameLiftFleet extends AsyncDisposable {
  readonly api: GameLiftApi;
  readonly recorded: RecordingTelemetry;
  readonly provider: Provider;
  /** Another provider of the same telemetry. */
  connect(options?: Loose<GameLiftProviderOptions>): Provider;
  client(config?: GameLiftClientConfig): GameLiftClient;
  nothingOpen(): Promise<void>;
}

/** `undefined` for an option takes the one of the tests away. */
type Loose<Options> = { readonly [Key in keyof Options]?: Options[Key] | undefined };

export const QUICK = { first: 20, longest: 40 };

export async function startGameLiftFleet(
  options: GameLiftApiOptions = {},
  settings: Loose<GameLiftProviderOptions> = {},
): Promise<GameLiftFleet> {
  const stack = new AsyncDisposableStack();
  const api = stack.use(await startGameLiftApi(options));
  const recorded = recordTelemetry();
  const { tracerProvider, openSpans } = watchSpans(recorded.tracerProvider);
  const client = (config: GameLiftClientConfig = {}) =>
    stack.adopt(
      new GameLiftClient({
        region: "eu-west-1",
        endpoint: api.endpoint,
        credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "none" },
        maxAttempts: 1,
        ...config,
      }),
      (opened) => opened.destroy(),
    );
  const ofTests = { client: client(), fleetId: "fleet-1", maximumPlayers: 8, poll: QUICK, tracerProvider };
  const connect = (more: Loose<GameLiftProviderOptions> = {}) => {
    const given = { ...ofTests, meterProvider: recorded.meterProvider, ...settings, ...more };
    const named = Object.entries(given).filter(([, value]) => value !== undefined);
    return stack.use(gamelift(Object.fromEntries(named) as unknown as GameLiftProviderOptions));
  };
  return {
    api,
    recorded,
    provider: connect(),
    connect,
    client,
    nothingOpen: () => until("no open span", () => openSpans() === 0),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
