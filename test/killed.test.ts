import { Client, type Room } from "@colyseus/sdk";
import { startSession, type SessionCarrier } from "colyseus-otel/backend";
import { expect, test } from "vitest";
import { startReceiver, type Receiver } from "../demo/receiver/receiver.ts";
import { startApp, type App } from "./_app.ts";
import { recordTelemetry } from "./_telemetry.ts";

/** A player in one of the games, which share no presence. */
async function join(game: App, carrier?: object): Promise<Room> {
  const { port } = await game.message("app:listening");
  const room = await new Client(`http://127.0.0.1:${port}`).joinOrCreate("arena", carrier && { ...carrier });
  room.reconnection.enabled = false;
  return room;
}

/** As the game sends it to its client. */
async function carrierOf(room: Room): Promise<SessionCarrier> {
  const sent = new Promise<SessionCarrier>((resolve) => void room.onMessage("carrier", resolve));
  room.send("carrier");
  return sent;
}

const startGame = ({ endpoint }: Receiver) => startApp({ linger: 50 }, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
const named = ({ spans }: Receiver, name: string) => spans.filter((span) => span.name === name);
const legs = (receiver: Receiver) =>
  named(receiver, "session.lifecycle").map(({ attributes }) => attributes["session.leg"]);

/** All that it has to say is told. */
async function stop(game: App): Promise<void> {
  game.child.kill("SIGTERM");
  expect(await game.exit()).toBe(0);
}

async function kill(game: App): Promise<void> {
  game.child.kill("SIGKILL");
  await game.exit();
  expect(game.child.signalCode).toBe("SIGKILL");
}

test("a carrier that goes from one process to another, which share nothing: each tells its own leg of the one session, once", async () => {
  await using receiver = await startReceiver();
  await using first = startGame(receiver);
  await using second = startGame(receiver);
  const room = await join(first);
  const next = await join(second, await carrierOf(room));
  await room.leave();
  await receiver.waitFor(() => legs(receiver).length === 1);
  await next.leave();
  await receiver.waitFor(() => legs(receiver).length === 2);
  await Promise.all([stop(first), stop(second)]);
  expect(legs(receiver)).toEqual([1, 2]);
  const [started, ...more] = named(receiver, "session.started");
  expect(more).toEqual([]);
  for (const name of ["session.lifecycle", "session.phase.in_game"]) {
    const told = named(receiver, name);
    expect(told.map(({ attributes }) => attributes["session.id"])).toEqual([room.sessionId, room.sessionId]);
    expect(told.map(({ parentSpanId }) => parentSpanId)).toEqual([started!.spanId, started!.spanId]);
    expect(new Set(told.map(({ resource }) => resource["service.instance.id"])).size).toBe(2);
  }
});

test("SIGKILL with the player in: what was finished is there, the first process tells its leg, and nothing is invented", async () => {
  await using receiver = await startReceiver();
  await using first = startGame(receiver);
  await using second = startGame(receiver);
  const room = await join(first);
  const carrier = await carrierOf(room);
  const finished = await join(second, carrier);
  const open = await join(second, carrier);
  await room.leave();
  await finished.leave();
  const phases = () => named(receiver, "session.phase.in_game");
  await receiver.waitFor(() => phases().length === 2 && legs(receiver).length === 1);
  const gone = new Promise((resolve) => {
    open.onLeave.once(resolve);
  });
  await kill(second);
  await gone;
  await stop(first);
  expect(legs(receiver)).toEqual([1]);
  expect(phases().length).toBe(2);
  expect(named(receiver, "session.started").length).toBe(1);
  expect(new Set(phases().map(({ attributes }) => attributes["session.id"]))).toEqual(new Set([room.sessionId]));
  expect(named(receiver, "room.join arena").length).toBe(3);
});

test.each([
  ["stops", stop],
  ["is killed with the player in", kill],
])(
  'end: "service": no server tells the end, the service does, once, before and after its server %s',
  async (_what, down) => {
    await using receiver = await startReceiver();
    await using game = startGame(receiver);
    const { named: told, tracerProvider, meterProvider } = recordTelemetry();
    const sessions = ["ann", "bob"].map((playerId) =>
      startSession({ playerId, end: "service", tracerProvider, meterProvider }),
    );
    const [ann, bob] = sessions;
    const room = await join(game, ann!.carrier);
    await join(game, bob!.carrier);
    await room.leave();
    await receiver.waitFor(() => named(receiver, "session.phase.in_game").length === 1);
    ann!.end("client_quit", { matchesPlayed: 1 });
    expect(told("session.lifecycle").map(({ attributes }) => attributes["session.id"])).toEqual([ann!.id]);
    await down(game);
    sessions.forEach((session) => session.end("connection_lost"));
    expect(legs(receiver)).toEqual([]);
    expect(told("session.lifecycle").map(({ attributes }) => attributes["session.id"])).toEqual([ann!.id, bob!.id]);
    expect(told("session.lifecycle")[0]!.attributes).toMatchObject({
      "session.end_reason": "client_quit",
      "session.matches_played": 1,
    });
  },
);
