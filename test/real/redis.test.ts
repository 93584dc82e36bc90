import type { Client, Room } from "@colyseus/sdk";
import { expect, test } from "vitest";
import { carrierOf, withSharedGames } from "./_shared-games.ts";

/** A player who does not come back by itself. */
async function join(client: Client, name: string, options?: object): Promise<Room> {
  const room = await client.joinOrCreate(name, { ...options });
  room.reconnection.enabled = false;
  return room;
}

const left = async (room: Room) => new Promise((resolve) => room.onLeave.once(resolve));

test("a room that the other process makes: one trace across both, and exact counts", async () => {
  await withSharedGames({ a: ["lobby"], b: ["arena"] }, async ({ games, played, counted, told }) => {
    const room = await join(games.a.client, "arena");
    await room.leave();
    await told({ "room.on_leave arena": 1, "session.lifecycle": 1 });
    expect(played()).toMatchInlineSnapshot(`
      "a: matchmake arena
        b: room.create arena
        b: session.started
          b: session.lifecycle
          b: session.phase.in_game
          b: room.on_leave arena  ~> b: room.join arena
        b: room.join arena
          b: room.on_join arena"
    `);
    expect(await counted("colyseus_joins_total")).toEqual({ 'room="arena",kind="new",outcome="accepted"': 1 });
    expect(await counted("colyseus_seat_reservations_total")).toEqual({ 'room="arena",outcome="consumed"': 1 });
    expect(await counted("game_session_ends_total")).toEqual({ 'end_reason="client_quit"': 1 });
  });
});

test("of three processes one is asked, one has the room, and a third is asked for the way back to it", async () => {
  await withSharedGames({ a: [], b: ["arena"], c: [] }, async ({ games, played, counted, told }) => {
    const room = await join(games.c.client, "arena");
    // Colyseus holds no seat for a player who has not acknowledged the join.
    await carrierOf(room);
    games.b.network.interrupt();
    await left(room);
    const back = await games.a.client.reconnect(room.reconnectionToken);
    expect([back.roomId, back.sessionId]).toEqual([room.roomId, room.sessionId]);
    await back.leave();
    await told({ "matchmake arena": 2, "room.on_leave arena": 1, "session.lifecycle": 1 });
    expect(played()).toMatchInlineSnapshot(`
      "c: matchmake arena
        b: room.create arena
        b: session.started
          b: session.lifecycle
          b: session.phase.in_game
          b: session.phase.reconnecting
          b: room.on_drop arena  ~> b: room.join arena
          b: room.join arena  ~> b: room.join arena
          b: session.phase.in_game
          b: room.on_leave arena  ~> b: room.join arena
        b: room.join arena
          b: room.on_join arena
      a: matchmake arena"
    `);
    expect(await counted("colyseus_joins_total")).toEqual({
      'room="arena",kind="new",outcome="accepted"': 1,
      'room="arena",kind="reconnect",outcome="accepted"': 1,
    });
    expect(await counted("colyseus_reconnects_total")).toEqual({ 'room="arena",outcome="returned"': 1 });
  });
});

test("a session with a token over two processes: told once, by the process that had the player last", async () => {
  await withSharedGames({ a: ["lobby"], b: ["arena"] }, async ({ games, played, counted, told, named }) => {
    const lobby = await join(games.b.client, "lobby");
    const match = await join(games.a.client, "arena", await carrierOf(lobby));
    await lobby.leave();
    await match.leave();
    await told({ "room.on_leave arena": 1, "session.phase.matchmaking": 1, "session.lifecycle": 1 });
    const [end, ...more] = named("session.lifecycle");
    expect(more).toEqual([]);
    expect(end!.resource["service.name"]).toBe("b");
    expect(end!.attributes).toMatchObject({ "session.id": lobby.sessionId, "session.matches_played": 1 });
    expect(played()).toMatchInlineSnapshot(`
      "b: matchmake lobby
        a: session.started
          b: session.lifecycle
          a: session.phase.matchmaking
          a: matchmake arena
            b: room.create arena
            b: room.join arena
              b: room.on_join arena
          b: session.phase.in_game
          b: room.on_leave arena  ~> b: room.join arena
        a: room.join lobby"
    `);
    expect(await counted("game_session_ends_total")).toEqual({ 'end_reason="client_quit"': 1 });
  });
});

test("a process that is killed with the match in it: the next match is made where it is asked for, in the same trace", async () => {
  await withSharedGames({ a: ["lobby"], b: ["arena"], c: [] }, async ({ games, played, counted, told, named }) => {
    const lobby = await join(games.a.client, "lobby");
    const match = await join(games.a.client, "arena", await carrierOf(lobby));
    await told({ "room.join arena": 1 });
    const gone = left(match);
    games.b.app.child.kill("SIGKILL");
    await gone;
    const next = await join(games.c.client, "arena", await carrierOf(lobby));
    expect(next.roomId).not.toBe(match.roomId);
    await next.leave();
    await lobby.leave();
    await told({ "room.on_leave arena": 1, "session.phase.matchmaking": 1 });
    expect(played()).toMatchInlineSnapshot(`
      "a: matchmake lobby
        a: session.started
          a: session.phase.matchmaking
          a: matchmake arena
            b: room.create arena
            b: room.join arena
              b: room.on_join arena
          c: matchmake arena
            c: room.create arena
            c: room.join arena
              c: room.on_join arena
          c: session.phase.in_game
          c: room.on_leave arena  ~> c: room.join arena
        a: room.join lobby"
    `);
    expect(await counted("colyseus_seat_reservations_total")).toEqual({
      'room="arena",outcome="consumed"': 1,
      'room="lobby",outcome="consumed"': 1,
    });
    expect(await counted("colyseus_joins_total")).toEqual({
      'room="arena",kind="moved",outcome="accepted"': 1,
      'room="lobby",kind="new",outcome="accepted"': 1,
    });
    // What the dead process said last is that the player is there: nobody has the last word.
    for (const { app } of [games.a, games.c]) {
      app.child.kill("SIGTERM");
      expect(await app.exit()).toBe(0);
    }
    expect(named("session.lifecycle")).toEqual([]);
  });
});

test("a process that does not answer: who asks for its room gets an ipc_timeout, by name and in the counts", async () => {
  await withSharedGames({ a: [], b: ["arena"] }, async ({ games, counted, told, named }) => {
    const { roomId } = await join(games.a.client, "arena");
    await told({ "room.join arena": 1 });
    games.b.app.child.kill("SIGSTOP");
    await expect(games.a.client.joinById(roomId)).rejects.toThrow("is not available");
    games.b.app.child.kill("SIGCONT");
    await told({ "matchmake arena": 2 });
    const [, refused] = named("matchmake arena");
    expect([refused!.attributes["error.type"], refused!.status.code]).toEqual(["ipc_timeout", "ERROR"]);
    expect(await counted("colyseus_seat_reservations_total")).toEqual({
      'room="arena",outcome="consumed"': 1,
      'room="arena",outcome="ipc_timeout"': 1,
    });
    expect(await counted("colyseus_joins_total")).toEqual({
      'room="arena",kind="new",outcome="accepted"': 1,
      'room="arena",kind="new",outcome="error"': 1,
    });
  });
});

test("thirty players at three processes: each a trace of its own, counted once", async () => {
  const PLAYERS = 30;
  await withSharedGames({ a: ["lobby"], b: ["arena"], c: [] }, async ({ games, counted, told, named }) => {
    const asked = [games.a, games.b, games.c];
    const rooms = await Promise.all(
      Array.from({ length: PLAYERS }, async (_, at) => join(asked[at % asked.length]!.client, "arena")),
    );
    await Promise.all(rooms.map(async (room) => room.leave()));
    await told({ "session.lifecycle": PLAYERS, "room.on_leave arena": PLAYERS });
    for (const name of ["matchmake arena", "session.started", "room.join arena", "session.lifecycle"]) {
      expect(new Set(named(name).map(({ traceId }) => traceId)).size, name).toBe(PLAYERS);
      expect(named(name).length, name).toBe(PLAYERS);
    }
    expect(await counted("colyseus_joins_total")).toEqual({ 'room="arena",kind="new",outcome="accepted"': PLAYERS });
    expect(await counted("colyseus_seat_reservations_total")).toEqual({ 'room="arena",outcome="consumed"': PLAYERS });
    expect(await counted("game_session_ends_total")).toEqual({ 'end_reason="client_quit"': PLAYERS });
  });
});
