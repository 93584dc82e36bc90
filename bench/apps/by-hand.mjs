// Spans and metrics by hand, as a careful user writes them; node-sdk.mjs is preloaded.
import { context, metrics, propagation, ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import { defineRoom, defineServer } from "colyseus";
import { tellAgones } from "./agones-by-hand.mjs";
import { ArenaRoom } from "./arena.mjs";

const tracer = trace.getTracer("arena");
const meter = metrics.getMeter("arena");
const joins = meter.createCounter("arena.joins", { unit: "{join}" });
const joinDuration = meter.createHistogram("arena.join.duration", { unit: "s" });
const sessionDuration = meter.createHistogram("arena.session.duration", { unit: "s" });
const tickDuration = meter.createHistogram("arena.tick.duration", { unit: "s" });
const players = meter.createUpDownCounter("arena.players", { unit: "{player}" });
const LABELS = { room: "arena" };

/** Seven spans a join and leave: auth, session, join, load_profile, spawn, leave, save_profile. */
class TracedArenaRoom extends ArenaRoom {
  sessions = new Map();

  static async onAuth(token, options, { headers }) {
    const caller = propagation.extract(context.active(), Object.fromEntries(headers));
    return traced("player.auth", caller, async () => {
      const auth = await super.onAuth(token, options);
      // Auth data is what Colyseus hands on to onJoin.
      propagation.inject(context.active(), auth);
      return auth;
    });
  }

  async onJoin(client) {
    const asked = propagation.extract(ROOT_CONTEXT, client.auth);
    const span = tracer.startSpan("player.session", { attributes: attributesOf(this, client) }, asked);
    const session = { span, context: trace.setSpan(ROOT_CONTEXT, span), start: performance.now() };
    this.sessions.set(client.sessionId, session);
    await traced("player.join", session.context, () => super.onJoin(client), attributesOf(this, client));
    joins.add(1, LABELS);
    players.add(1, LABELS);
    joinDuration.record((performance.now() - session.start) / 1000, LABELS);
  }

  async onLeave(client, code) {
    const session = this.sessions.get(client.sessionId);
    this.sessions.delete(client.sessionId);
    const attributes = { ...attributesOf(this, client), "close.code": code };
    await traced("player.leave", session.context, () => super.onLeave(client), attributes);
    session.span.end();
    players.add(-1, LABELS);
    sessionDuration.record((performance.now() - session.start) / 1000, LABELS);
  }

  tick(elapsed) {
    const start = performance.now();
    super.tick(elapsed);
    tickDuration.record((performance.now() - start) / 1000, LABELS);
  }

  async loadProfile(client) {
    return traced("player.load_profile", context.active(), () => super.loadProfile(client));
  }

  spawn(client) {
    const span = tracer.startSpan("player.spawn");
    super.spawn(client);
    span.end();
  }

  async saveProfile(client) {
    return traced("player.save_profile", context.active(), () => super.saveProfile(client));
  }
}

export const server = defineServer({ rooms: { arena: defineRoom(TracedArenaRoom) } });
await server.listen(Number(process.env.PORT ?? 2567));
await tellAgones();

async function traced(name, parent, run, attributes) {
  const span = tracer.startSpan(name, { attributes }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), run);
  } catch (error) {
    span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
    throw error;
  } finally {
    span.end();
  }
}

function attributesOf(room, client) {
  return { "room.name": room.roomName, "room.id": room.roomId, "player.session": client.sessionId };
}
