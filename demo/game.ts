import { SERVICES } from "./expected-span.ts";
import type { Say } from "./narrator.ts";
import { freePort } from "./free-port.ts";
import type { DemoOptions } from "./options.ts";
import type { Process } from "./processes.ts";
import { startProcess } from "./processes.ts";
import { poll } from "./waiting.ts";

export interface RunningGame {
  readonly game: Process;
  readonly port: number;
  /** `http://host:port` of its /metrics, /readyz and so on; undefined when the game could not open them. */
  readonly admin: string | undefined;
}

interface GameOptions extends Pick<DemoOptions, "trust" | "zeroCode"> {
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface Listening {
  readonly type: "arena:listening";
  readonly port: number;
  /** Told by a game that knows of the plugin. */
  readonly endpoints?: { readonly host: string; readonly port: number };
}

/** Forks the example server, and resolves when it listens. */
export async function startGame(
  stack: AsyncDisposableStack,
  { trust, zeroCode, env }: GameOptions,
  say: Say,
): Promise<RunningGame> {
  const how = zeroCode ? await withoutCode(trust) : withCode(trust);
  const game = stack.use(startProcess({ name: "the game server", ...how, env: { ...BASE, ...how.env, ...env } }));
  const preload = zeroCode ? ", --import colyseus-otel/register" : "";
  say("game", `process ${game.pid} boots, trust "${trust}"${preload}`);
  const { port, endpoints = how.endpoints } = await game.heard<Listening>("arena:listening", 30_000);
  const admin = endpoints && `http://${endpoints.host}:${endpoints.port}`;
  say("game", `listens on port ${port}${admin === undefined ? "" : `, admin endpoints on ${admin}`}`);
  return { game, port, admin };
}

// A game would hold a seat, and wait for a player between two servers, for longer; the demo waits for both.
export const OF_ITS_OWN = {
  ARENA_LINGER_MS: "500",
  // The story's boots are roots: the shell that runs the demo may itself be traced.
  TRACEPARENT: undefined,
  TRACESTATE: undefined,
};

const BASE = {
  ...OF_ITS_OWN,
  PORT: process.env.PORT ?? "0",
  OTEL_SERVICE_NAME: SERVICES.game,
  ARENA_RETURN_SECONDS: "2",
  COLYSEUS_OTEL_SESSION_LINGER: "500",
};

function withCode(trust: string) {
  const env = { ADMIN_PORT: process.env.ADMIN_PORT ?? "0", ARENA_TRUST: trust };
  return { file: "../example-server/server.ts", env, preload: [], endpoints: undefined };
}

async function withoutCode(trust: string) {
  // This game cannot tell which port its admin endpoints got.
  const endpoints = { host: "127.0.0.1", port: Number(process.env.ADMIN_PORT ?? 0) || (await freePort()) };
  return {
    file: "../example-server/plain.ts",
    env: { COLYSEUS_OTEL_ENDPOINTS: `${endpoints.host}:${endpoints.port}`, COLYSEUS_OTEL_TRUST: trust },
    preload: [import.meta.resolve("colyseus-otel/register")],
    endpoints,
  };
}

/** Waits until the game server's own /readyz says one of these: an operator would look at the same page. */
export async function gameIs(
  states: readonly ("ready" | "allocated")[],
  { game, admin }: Pick<RunningGame, "game" | "admin">,
): Promise<void> {
  if (admin === undefined) return;
  const ask = async () => {
    const response = await fetch(`${admin}/readyz`).catch(() => undefined);
    if (!response?.ok) return undefined;
    const { state } = (await response.json()) as { readonly state: (typeof states)[number] };
    return states.includes(state) ? true : undefined;
  };
  await poll(`${admin}/readyz to say ${states.join(" or ")}`, ask, { timeout: 10_000, unless: game.gone });
}
