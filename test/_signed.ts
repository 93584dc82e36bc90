import { Room } from "@colyseus/core";
import { startSession, type SessionCarrier, type StartSessionOptions } from "colyseus-otel/backend";
import { CURRENT, PREVIOUS } from "./_secrets.ts";
import { until, type TestServer } from "./_server.ts";
import { recordTelemetry } from "./_telemetry.ts";

/** What the services of these tests sign with, and their game servers ask for. */
export const ARENA = { secrets: [CURRENT, PREVIOUS], audience: "arena" };

export class Arena extends Room {
  static seen: object[] = [];
  override onJoin(_client: unknown, options: object) {
    Arena.seen.push(options);
  }
}

/** A login in a service of its own, whose spans are not looked at. */
export function login(options: Partial<StartSessionOptions> = {}) {
  const { tracerProvider, meterProvider } = recordTelemetry();
  return startSession({ playerId: "ann-7", tracerProvider, meterProvider, sign: ARENA, ...options });
}

/** Joins and leaves; gives what the server made of it. */
export async function play(game: TestServer, options: object, headers?: Record<string, string>) {
  game.recorded.reset();
  const room = await game.client(headers).joinOrCreate("arena", options);
  await room.leave();
  const { one, named } = game.recorded;
  await until("the end", () => named("session.lifecycle").length === 1);
  const matchmake = one("matchmake arena");
  const { "session.id": session, "player.id": player } = one("session.lifecycle").attributes;
  return {
    parent: matchmake.parentSpanContext?.spanId,
    links: matchmake.links.map(({ context }) => context.spanId),
    session: session === room.sessionId ? "of its own" : session,
    player,
    matchmake,
  };
}

export const spanIdOf = ({ traceparent }: { readonly traceparent?: string | undefined }) => traceparent!.split("-")[2];

/** The honest token, without its signature. */
export function tokenIn({ "colyseus-otel": value }: Pick<SessionCarrier, "colyseus-otel">): string {
  return value.split(":", 10).join(":");
}
