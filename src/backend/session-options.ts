import type { Context, MeterProvider, TracerProvider } from "@opentelemetry/api";
import { checkDuration, checkKeys, checkOneOf, checkShape, checkString, optional } from "../internal/check.ts";
import { warn } from "../internal/report.ts";
import { checkSecretKeys, checkSecrets } from "../propagation/secrets.ts";
import type { Signing } from "../propagation/session-carrier.ts";
import { fits, SESSION_ENDS, TOKEN_TEXTS, type SessionEnd } from "../propagation/session-token.ts";
import type { Player } from "../sessions/steps.ts";

/** What `startSession()` takes. */
export interface StartSessionOptions {
  /**
   * As the login knows the player: `player.id` on spans, never on metrics. Over 192 bytes (percent-encoded) or with
   * control characters it stays here, and the game server's spans do not have it.
   */
  readonly playerId: string;
  /** How the player proved it: `password`, `steam`, ... Left out over 32 bytes. */
  readonly authMethod?: string | undefined;
  /** As the client says. Left out over 64 bytes. */
  readonly clientVersion?: string | undefined;
  /** As the client says. Left out over 32 bytes. */
  readonly platform?: string | undefined;
  /**
   * Who tells `session.lifecycle`, the summary, so that there is one and never two. `"server"`: the game server, when the
   * player leaves it; a player who never reaches one has none. `"service"`: this program, by `end()`, always; what it
   * costs is that a program that dies, or forgets, leaves sessions without an end.
   *
   * @default "server"
   */
  readonly end?: SessionEnd;
  /**
   * Signs the carrier, for game servers with `trust: { secrets, audience }`: `{ secrets: [current, previous], audience:
   * "arena" }`. What it costs is that one which is used after `expiresIn` is not believed.
   *
   * @default not signed
   */
  readonly sign?: Signing | undefined;
  /**
   * What the session hangs from.
   *
   * @default the active context: the HTTP span of the login, where there is one
   */
  readonly parent?: Context;
  /** @default the global one */
  readonly tracerProvider?: TracerProvider;
  /** @default the global one */
  readonly meterProvider?: MeterProvider;
}

export interface ResolvedSession {
  readonly player: Player & { readonly playerId: string };
  readonly end: SessionEnd;
  readonly signing: Signing | undefined;
  readonly parent: Context | undefined;
  readonly tracerProvider: TracerProvider | undefined;
  readonly meterProvider: MeterProvider | undefined;
}

const DAY_MS = 86_400_000;

const KNOWN = [
  "playerId",
  "authMethod",
  "clientVersion",
  "platform",
  "end",
  "sign",
  "parent",
  "tracerProvider",
  "meterProvider",
] as const satisfies (keyof StartSessionOptions)[];

/** Throws TypeError for an unknown option, or a value of the wrong kind, but not for what a client sent. */
export function resolveSession(options: StartSessionOptions): ResolvedSession {
  checkKeys("startSession", options, KNOWN);
  const { end = "server", parent, tracerProvider, meterProvider } = options;
  const playerId = checkString("startSession.playerId", options.playerId);
  if (!fits("playerId", playerId)) {
    warn(
      "player id",
      `startSession: a playerId over ${TOKEN_TEXTS.playerId} bytes (percent-encoded) or with control characters does not ` +
        "travel to the game server, whose spans will have no player.id",
    );
  }
  return {
    player: {
      playerId,
      authMethod: clientText("authMethod", options.authMethod),
      clientVersion: clientText("clientVersion", options.clientVersion),
      platform: clientText("platform", options.platform),
    },
    end: checkOneOf("startSession.end", end, SESSION_ENDS),
    signing: optional(options.sign, resolveSigning),
    parent: parent && checkShape<Context>("startSession.parent", parent, ["getValue", "setValue"]),
    tracerProvider:
      tracerProvider && checkShape<TracerProvider>("startSession.tracerProvider", tracerProvider, ["getTracer"]),
    meterProvider:
      meterProvider && checkShape<MeterProvider>("startSession.meterProvider", meterProvider, ["getMeter"]),
  };
}

function resolveSigning(sign: Signing): Signing {
  const where = "startSession.sign";
  checkSecretKeys(where, sign, ["secrets", "audience", "expiresIn"]);
  const expiresIn = optional(sign.expiresIn, (given) => checkDuration(`${where}.expiresIn`, given));
  if (expiresIn !== undefined && expiresIn > DAY_MS) {
    throw new TypeError(`${where}.expiresIn must be at most a day (${DAY_MS}), got ${expiresIn}`);
  }
  return { ...checkSecrets(where, sign), expiresIn };
}

/** Clients send anything as their version, and a login that throws on it is a login that anybody can break. */
function clientText(name: "authMethod" | "clientVersion" | "platform", value: unknown): string | undefined {
  if (value === undefined || value === "") {
    return undefined;
  }
  if (typeof value === "string" && fits(name, value)) {
    return value;
  }
  warn(
    `session ${name}`,
    `startSession: ${name} is left out: no string of at most ${TOKEN_TEXTS[name]} bytes (percent-encoded) that can be printed`,
  );
  return undefined;
}
