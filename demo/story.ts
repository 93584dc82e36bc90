import type { Context, Span, Tracer } from "@opentelemetry/api";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { PlayReport } from "../example-server/player.ts";
import { connectPlayer } from "../example-server/player.ts";
import { mintTicket } from "../example-server/tickets.ts";
import type { SidecarReport } from "../standins/sidecar-main.ts";
import type { Say } from "./narrator.ts";
import type { Stage } from "./stage.ts";
import { gameIs } from "./stage.ts";
import type { Backend } from "./tracing.ts";
import { within } from "./waiting.ts";

export interface PlayedGame extends PlayReport {
  readonly traceId: string;
  /** Milliseconds from the join request to the first state of the game. */
  readonly joinedIn: number;
}

/** A player clicks "play": the matchmaker gets a server for them, the login service lets them in, and they play. */
export async function playStory(stage: Stage, backend: Backend, say: Say): Promise<PlayedGame> {
  return inSpan(backend.matchmaker, "matchmaker.request", ROOT_CONTEXT, SpanKind.SERVER, async (asked) => {
    say("matchmaker", `a player clicks "play": trace ${traceIdOf(asked)}`);
    if (stage.sidecar === undefined) say("matchmaker", "no allocation: the sidecar is not ours");
    else await allocate(stage, backend, asked, say);
    return await logIn(stage, backend, "ada", asked);
  }).then((pass) => play(stage, pass, 3, say));
}

/** Another player on the server that is already allocated. */
export async function playAgain(stage: Stage, backend: Backend, name: string, seconds: number): Promise<PlayedGame> {
  const pass = await inSpan(backend.matchmaker, "matchmaker.request", ROOT_CONTEXT, SpanKind.SERVER, (asked) =>
    logIn(stage, backend, name, asked),
  );
  return play(stage, pass, seconds);
}

async function allocate(stage: Stage, { matchmaker }: Backend, asked: Context, say: Say): Promise<void> {
  const { sidecar } = stage;
  if (sidecar === undefined) return;
  const name = await inSpan(matchmaker, "provision.allocate_server", asked, SpanKind.INTERNAL, (provisioning) =>
    inSpan(matchmaker, "provision.agones_allocate", provisioning, SpanKind.CLIENT, async (allocating) => {
      // In a cluster this is a GameServerAllocation with `metadata.annotations`, and the allocator writes it.
      sidecar.tell({ type: "sidecar:allocate", annotations: { traceparent: traceparentOf(allocating) } });
      type Allocated = Extract<SidecarReport, { type: "sidecar:allocated" }>;
      return (await sidecar.heard<Allocated>("sidecar:allocated", 5_000)).name;
    }),
  );
  say("matchmaker", `${name} is allocated; its annotation carries the trace context`);
  // A player who is faster than the allocation's watch message would have the map loaded by their room.create.
  await gameIs("allocated", stage);
}

interface Pass {
  readonly player: string;
  readonly ticket: string;
  readonly traceparent: string;
}

function logIn({ ticketSecret }: Stage, { login }: Backend, player: string, asked: Context): Promise<Pass> {
  return inSpan(login, "player.login", asked, SpanKind.SERVER, (loggedIn) => {
    const ticket = mintTicket({ playerId: player, expires: Date.now() + 60_000 }, ticketSecret);
    return Promise.resolve({ player, ticket, traceparent: traceparentOf(loggedIn) });
  });
}

async function play({ url, game }: Stage, pass: Pass, seconds: number, say?: Say): Promise<PlayedGame> {
  const { player: name, ticket, traceparent } = pass;
  const wait = { timeout: 10_000, unless: game.gone };
  const began = performance.now();
  const joining = connectPlayer({ url, ticket, options: { traceparent } });
  const player = await within(`${name} to be in the arena`, joining, wait);
  const joinedIn = performance.now() - began;
  say?.("player", `${name} joined room ${player.room.roomId} in ${joinedIn.toFixed(0)} ms, and plays`);
  await within(`${name} to have played ${seconds} s`, player.play({ seconds }), wait);
  const report = await within(`${name} to have left`, player.leave(), wait);
  say?.("player", `${name} left after ${report.moves} moves, score ${report.score}`);
  return { ...report, joinedIn, traceId: traceparent.split("-")[1] ?? "" };
}

async function inSpan<Result>(
  tracer: Tracer,
  name: string,
  parent: Context,
  kind: SpanKind,
  run: (context: Context) => Promise<Result>,
): Promise<Result> {
  const span = tracer.startSpan(name, { kind }, parent);
  try {
    return await run(trace.setSpan(parent, span));
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
    throw error;
  } finally {
    span.end();
  }
}

function traceparentOf(context: Context): string {
  const { traceId, spanId, traceFlags } = spanOf(context).spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}

function traceIdOf(context: Context): string {
  return spanOf(context).spanContext().traceId;
}

function spanOf(context: Context): Span {
  const span = trace.getSpan(context);
  if (span === undefined) throw new Error("no span in this context");
  return span;
}
